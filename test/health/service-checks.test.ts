import assert from "node:assert/strict";
import { checkEndpoints } from "../../components/health/api-endpoints";
import { checkConnectivity } from "../../components/health/database-connectivity";
import { createSchema, RunningService } from "../service/running-service";
import { type TestDatabase, testDatabase } from "../support/postgres";
import { LIMITS } from "./examined";
import { type HttpService, httpService } from "./http-service";

describe("the check of the database", () => {
	let database: TestDatabase;

	beforeEach(async () => {
		database = await testDatabase();
	});

	afterEach(() => database.drop());

	it("tells how long a connection and its answer took", async () => {
		const { figure = Number.NaN, ...result } = await checkConnectivity(database.owner, LIMITS);
		const { user, host, port, database: name } = database.owner;
		assert.deepEqual(result, {
			check: "database_connectivity",
			status: "PASS",
			unit: "ms",
			detail: `${user}@${host}:${port}/${name} connects and answers`,
		});
		assert.ok(figure > 0 && figure < 60_000, String(figure));
	});

	it("warns of a slow one", async () => {
		const { status, detail } = await checkConnectivity(database.owner, { slowConnectionMs: 0 });
		assert.equal(status, "WARNING");
		assert.match(detail, /, which is slow \(from 0 ms\): look at the server's load$/);
	});

	it("says who could not connect where, and never the password", async () => {
		const wrong = { ...database.owner, password: "not-the-password" };
		await assert.rejects(checkConnectivity(wrong, LIMITS), (error: Error) => {
			assert.match(
				error.message,
				/^cannot connect to test_\w+@127\.0\.0\.1:\d+\/test_\w+: password authentication failed/,
			);
			assert.ok(!error.message.includes("not-the-password"));
			return true;
		});
	});
});

describe("the check of the endpoints", () => {
	const paths = ["/cameras?limit=1"];
	let service: HttpService;

	beforeEach(async () => {
		service = await httpService("1.4.0");
	});

	afterEach(() => service.stop());

	const check = (release = "1.4.0", wanted = paths) =>
		checkEndpoints({ url: service.url, release, paths: wanted }, LIMITS);

	it("reads what every release has and each feature, and tells the slowest", async () => {
		const { figure = Number.NaN, detail, ...result } = await check();
		assert.deepEqual(result, { check: "api_endpoints", status: "PASS", unit: "ms" });
		assert.ok(figure > 0 && figure < 3000, String(figure));
		assert.match(detail, /^release 1\.4\.0 answers at 4 endpoints, slowest \//);
		assert.deepEqual(service.asked, ["/healthz", "/readyz", "/version", "/cameras?limit=1"]);
	});

	it("fails for a service that is not ready, with its own reason", async () => {
		service.answers["/readyz"] = { status: 503, body: { reason: "the schema is 1.2.0" } };
		assert.deepEqual(await check(), {
			check: "api_endpoints",
			status: "FAIL",
			detail: '/readyz answered 503 {"reason":"the schema is 1.2.0"}',
		});
		assert.deepEqual(service.asked, ["/healthz", "/readyz"]);
	});

	it("fails when another release answers than the wanted one", async () => {
		const { status, detail } = await check("1.5.0");
		assert.deepEqual([status, detail], ["FAIL", "release 1.4.0 answers, not 1.5.0"]);
	});

	it("fails for features that cannot be read, and names each", async () => {
		service.answers["/cameras?limit=1"] = { status: 500, body: {} };
		const { status, detail } = await check("1.4.0", [...paths, "/zones"]);
		assert.deepEqual(
			[status, detail],
			["FAIL", '/cameras?limit=1 answered 500 {}; /zones answered 404 {"error":"no_such_endpoint"}'],
		);
	});

	it("passes over a feature that the release says it does not have yet", async () => {
		service.answers["/zones"] = { status: 501, body: { error: "not_in_this_release" } };
		const { status, detail } = await check("1.4.0", [...paths, "/zones"]);
		assert.equal(status, "PASS");
		assert.match(detail, /answers at 4 endpoints/);
	});

	it("warns of an endpoint that is slow", async () => {
		const result = await checkEndpoints({ url: service.url, release: "1.4.0", paths }, { slowRequestMs: 0 });
		assert.equal(result.status, "WARNING");
		assert.match(result.detail, /, which is slow \(from 0 ms\): look at the service's load$/);
	});

	it("fails for a service that is gone, with the reason", async () => {
		await service.stop();
		const { status, detail } = await check();
		assert.equal(status, "FAIL");
		assert.match(detail, /^\/healthz: .*ECONNREFUSED/);
	});

	it("passes for the counting API with the endpoints that it is asked at by default", async () => {
		const database = await testDatabase();
		await createSchema(database.owner, "1.3.0");
		const api = await RunningService.start(database.owner);
		try {
			const features = [
				"/cameras?limit=1",
				"/counting-results?cameraId=1&limit=1",
				"/counting-results/hourly?cameraId=1&from=2000-01-01T00:00:00Z&to=2000-01-01T01:00:00Z",
			];
			const { status, detail } = await checkEndpoints(
				{ url: api.url, release: "1.3.0", paths: features },
				LIMITS,
			);
			assert.equal(status, "PASS", detail);
			assert.match(detail, /answers at 6 endpoints/);
		} finally {
			await api.stop();
			await database.drop();
		}
	});
});
