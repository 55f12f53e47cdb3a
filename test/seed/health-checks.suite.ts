import assert from "node:assert/strict";
import type { Connection } from "../../components/database/connection";
import { withClient } from "../../components/database/connection";
import { checkEndpoints } from "../../components/health/api-endpoints";
import { judge, overallStatus } from "../../components/health/check-result";
import { checkConnectivity } from "../../components/health/database-connectivity";
import { runChecks } from "../../components/health/run-checks";
import {
	checkPerformance,
	type StatementSnapshot,
	snapshotStatements,
} from "../../components/health/statement-times";
import { environmentDefaults } from "../../components/settings/environments";
import { countStatements, LIMITS, subjectOf } from "../health/examined";
import { type HttpService, httpService } from "../health/http-service";
import { type TestDatabase, testDatabase, testServer } from "../support/postgres";
import { RAISED, useStaging } from "./staging";

const SESSION = { applicationName: "test" };
const THREE = ["database_connectivity", "api_endpoints", "performance"];

describe("the health checks", () => {
	const staging = useStaging();
	let administrator: Connection;
	let database: TestDatabase;
	let service: HttpService;

	beforeEach(async () => {
		[administrator, database, service] = [
			await testServer(),
			await testDatabase(),
			await httpService("1.3.0"),
		];
		await countStatements(administrator);
	});

	afterEach(async () => {
		await service.stop();
		await database.drop();
	});

	it("are made of each release before and after it gets the traffic, and recorded with their results", async () => {
		const rows = await staging().project.catalog(
			`SELECT check_name AS name, count(*)::integer AS times, bool_and(status = 'PASS' OR status = 'WARNING') AS passed
			FROM deployment_health_checks WHERE pipeline_id = ${RAISED} AND check_name = ANY ($1)
			GROUP BY check_name ORDER BY min(id)`,
			[THREE],
		);
		assert.deepEqual(
			rows,
			THREE.map((name) => ({ name, times: 2, passed: true })),
		);
	});

	it("judge a figure at its limits: PASS below the first, WARNING from it on, FAIL from the second on", () => {
		const { slowStatementMilliseconds: warning, slowStatementFailMilliseconds: fail } =
			environmentDefaults.production;
		assert.deepEqual([warning, fail], [500, 5000]);
		assert.deepEqual(
			[499.9, 500, 4999.9, 5000].map((figure) => judge(figure, { warning, fail })),
			["PASS", "WARNING", "WARNING", "FAIL"],
		);
	});

	it("database_connectivity: PASS when the database answers, WARNING when it is slow, FAIL when it does not", async () => {
		const of = (application: Connection, slowConnectionMs: number) =>
			checkConnectivity(application, { slowConnectionMs });
		assert.equal((await of(database.owner, 60_000)).status, "PASS");
		assert.equal((await of(database.owner, 0)).status, "WARNING");
		const away = { ...subjectOf(administrator, database.owner), application: { ...database.owner, port: 1 } };
		const results = await runChecks({ subject: away, url: service.url, release: "1.3.0" });
		assert.equal(results.find(({ check }) => check === "database_connectivity")?.status, "FAIL");
	});

	it("api_endpoints: PASS when the release and its features answer, WARNING when slowly, FAIL when not", async () => {
		const of = (slowRequestMs: number, release = "1.3.0") =>
			checkEndpoints({ url: service.url, release, paths: ["/cameras?limit=1"] }, { slowRequestMs });
		assert.equal((await of(60_000)).status, "PASS");
		assert.equal((await of(0)).status, "WARNING");
		assert.equal((await of(60_000, "1.4.0")).status, "FAIL");
		service.answers["/cameras?limit=1"] = { status: 500, body: {} };
		assert.equal((await of(60_000)).status, "FAIL");
	});

	it("performance: PASS, WARNING and FAIL by the slowest statement's mean time", () => {
		const { slowStatementMilliseconds, slowStatementFailMilliseconds } = environmentDefaults.staging;
		const limits = {
			slowStatementMs: slowStatementMilliseconds,
			slowStatementFailMs: slowStatementFailMilliseconds,
		};
		const of = (meanMs: number) =>
			checkPerformance(counted({}), counted({ quick: [1000, 1000], slow: [4, 4 * meanMs] }), limits);
		assert.deepEqual(
			[999, 1000, 4999, 5000].map((meanMs) => of(meanMs).status),
			["PASS", "WARNING", "WARNING", "FAIL"],
		);
	});

	it("performance: reads the mean times from pg_stat_statements, of the time that is examined alone", async () => {
		const of = { database: database.owner.database, role: database.owner.user };
		const run = (seconds: number) =>
			withClient(database.owner, SESSION, (client) => client.query(`SELECT pg_sleep(${seconds})`));
		await run(0.5);
		const before = await snapshotStatements(administrator, of);
		await run(0.1);
		const {
			status,
			figure = 0,
			detail,
		} = checkPerformance(before, await snapshotStatements(administrator, of), {
			slowStatementMs: 50,
			slowStatementFailMs: 60_000,
		});
		assert.equal(status, "WARNING");
		assert.ok(figure >= 100, String(figure));
		assert.match(detail, /, of 1 execution of SELECT pg_sleep\(\$1\)/);
	});

	it("fail as a whole when a single one fails", async () => {
		for (const failing of THREE) {
			assert.equal(
				overallStatus(THREE.map((check) => ({ status: check === failing ? "FAIL" : "PASS" }))),
				"FAIL",
			);
		}
		service.answers["/readyz"] = { status: 503, body: {} };
		const subject = { ...subjectOf(administrator, database.owner), limits: LIMITS };
		const results = await runChecks({ subject, url: service.url, release: "1.3.0" });
		assert.deepEqual(
			results.filter(({ status }) => status === "FAIL").map(({ check }) => check),
			["api_endpoints"],
		);
		assert.equal(overallStatus(results), "FAIL");
	});
});

/** Calls and their milliseconds, by statement. */
function counted(statements: Record<string, [calls: number, totalMs: number]>): StatementSnapshot {
	const entries = Object.entries(statements).map(
		([text, [calls, totalMs]]) => [text, { text, calls, totalMs }] as const,
	);
	return { takenAt: new Date(0), statements: new Map(entries) };
}
