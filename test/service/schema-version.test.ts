import assert from "node:assert/strict";
import { type Connection, withClient } from "../../components/database/connection";
import { incompatibility } from "../../service/schema-version";
import { type TestDatabase, testDatabase } from "../support/postgres";
import { createSchema, RunningService, setSchemaVersion } from "./running-service";

describe("the schema a release needs", () => {
	it("is met by its own version and newer ones, of the same major version unless told otherwise", () => {
		const cases = [
			["1.2.0", "1.2.0", true, true],
			["1.2.0", "1.3.0", true, true],
			["1.2.0", "1.10.0", true, true],
			["1.2.0", "1.1.9", false, false],
			["1.2.0", "2.0.0", false, true],
			["2.0.0", "1.9.0", false, false],
		] as const;
		for (const [required, found, sameMajor, anyNewer] of cases) {
			assert.equal(
				incompatibility(required, found, "same-major") === undefined,
				sameMajor,
				`${required} ${found}`,
			);
			assert.equal(
				incompatibility(required, found, "any-newer") === undefined,
				anyNewer,
				`${required} ${found}`,
			);
		}
	});

	let database: TestDatabase;
	const running: RunningService[] = [];

	async function start(overrides: Record<string, string>): Promise<RunningService> {
		const service = await RunningService.start(database.owner, overrides);
		running.push(service);
		return service;
	}

	function execute(connection: Connection, sql: string) {
		return withClient(connection, { applicationName: "test" }, (client) => client.query(sql));
	}

	beforeEach(async () => {
		database = await testDatabase();
	});

	afterEach(async () => {
		await Promise.all(running.splice(0).map((service) => service.stop()));
		await database.drop();
	});

	it("makes the service ready once the database has it", async () => {
		const service = await start({ REQUIRED_SCHEMA: "1.2.0", RELEASE: "1.2.0", INSTANCE: "this-one" });
		const readiness = async () => {
			const { status, body } = await service.call("GET", "/readyz");
			return [status, body];
		};
		const notReady = (reason: string, schema: string | null) => [
			503,
			{ status: "not ready", reason, requiredSchema: "1.2.0", schema },
		];
		assert.deepEqual(
			await readiness(),
			notReady("the view deployment.schema_version does not exist: apply the migrations first", null),
		);
		assert.deepEqual((await service.call("GET", "/healthz")).body, {
			status: "ok",
			instance: "this-one",
			release: "1.2.0",
		});
		await createSchema(database.owner, "1.3.0");
		const ready = { status: "ready", reason: null, requiredSchema: "1.2.0", schema: "1.3.0" };
		assert.deepEqual(await readiness(), [200, ready]);
		assert.deepEqual((await service.call("GET", "/version")).body, {
			service: "counting-api",
			release: "1.2.0",
			requiredSchema: "1.2.0",
			schema: "1.3.0",
		});
		await setSchemaVersion(database.owner, "1.1.0");
		assert.deepEqual(
			await readiness(),
			notReady("the schema is 1.1.0, this release needs 1.2.0: apply the missing migrations", "1.1.0"),
		);
		await execute(
			database.owner,
			"CREATE OR REPLACE VIEW deployment.schema_version AS SELECT ''::TEXT AS version, 0 AS migrations WHERE false",
		);
		assert.deepEqual(
			await readiness(),
			notReady("deployment.schema_version is empty: no migration has been applied yet", null),
		);
	});

	it("decides what a release offers, on its own schema and on newer ones", async () => {
		await createSchema(database.owner, "1.0.0");
		const first = await start({ REQUIRED_SCHEMA: "1.0.0", RELEASE: "1.0.0" });
		async function checkFirst(): Promise<void> {
			const { status, body } = await first.call("POST", "/cameras", { cameraName: "Gate" });
			assert.equal(status, 201);
			assert.deepEqual(Object.keys(body as object), ["id", "cameraName", "location", "status", "createdAt"]);
			const metadata = await first.call("POST", "/cameras", { cameraName: "Gate", metadata: {} });
			assert.equal(metadata.status, 501);
			assert.deepEqual(metadata.body, {
				error: "not_in_this_release",
				message: "release 1.0.0 works with schema 1.0.0; metadata of cameras came with schema 1.1.0",
				details: [],
			});
			for (const [method, path] of [
				["GET", "/counting-results?cameraId=1"],
				["POST", "/counting-results"],
				["POST", "/counting-results/batch"],
			] as const) {
				assert.equal((await first.call(method, path, method === "POST" ? {} : undefined)).status, 501);
			}
		}
		await checkFirst();
		await execute(database.owner, "DROP SCHEMA deployment CASCADE; DROP TABLE cameras");
		await createSchema(database.owner, "1.3.0");
		await checkFirst();
		const second = await start({ REQUIRED_SCHEMA: "1.1.0", RELEASE: "1.1.0" });
		const { body } = await second.call("POST", "/cameras", { cameraName: "Gate", metadata: { a: 1 } });
		assert.deepEqual((body as { metadata: unknown }).metadata, { a: 1 });
		assert.equal((await second.call("GET", "/counting-results?cameraId=1")).status, 501);
	});

	it("answers 503, not 500, when a table that the release needs is not there", async () => {
		await createSchema(database.owner, "1.0.0");
		const service = await start({});
		for (const path of ["/cameras", "/counting-results?cameraId=1"]) {
			const { status, body } = await service.call("GET", path);
			assert.equal(status, 503);
			assert.equal((body as { error: string }).error, "schema_incompatible");
		}
	});
});
