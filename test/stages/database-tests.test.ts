import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withClient } from "../../components/database/connection";
import { readSqlTests, runSqlTests } from "../../stages/sql-tests";
import { query } from "../support/project";
import { contentsOf, fill, runShipped, type StagedDatabase, stagedDatabase } from "./support";

describe("the database tests", () => {
	let database: StagedDatabase;

	afterEach(() => database.close());

	it("pass on the schema of the release and leave nothing behind, not even a drawn id", async () => {
		database = await stagedDatabase("closed");
		await fill(database);
		const before = await contentsOf(database);
		const { passed, lines, failed } = await runShipped("database-tests", database);
		assert.deepEqual(failed, [], lines.join("\n"));
		assert.ok(passed);
		assert.ok(lines.some((line) => /^ok \d+ - nothing is counted below zero$/.test(line)));
		assert.ok(
			lines.some((line) => line.endsWith("the application cannot write before its colour has the traffic")),
		);
		assert.deepEqual(await contentsOf(database), before);
	});

	it("pass where the service has the traffic already", async () => {
		database = await stagedDatabase("none");
		const { lines, failed } = await runShipped("database-tests", database, {
			strategy: "in-place",
			writes: "served",
		});
		assert.deepEqual(failed, [], lines.join("\n"));
		assert.ok(lines.some((line) => line.endsWith("the application can write")));
	});

	it("leave out what the schema has not come to yet, and say so", async () => {
		database = await stagedDatabase("none");
		await query(
			database.owner,
			"UPDATE deployment.schema_migrations SET version = '1.3.9' WHERE version = '1.4.0'",
		);
		const { lines } = await runShipped("database-tests", database, { writes: "served" });
		assert.ok(
			lines.some((line) => /1\.4\.0_ingested_batches\.sql # SKIP the schema is 1\.3\.9$/.test(line)),
			lines.join("\n"),
		);
	});

	const broken: [string, string, string][] = [
		[
			"a lost constraint",
			"ALTER TABLE counting_results DROP CONSTRAINT counting_results_count_value_check",
			"nothing is counted below zero",
		],
		[
			"a lost foreign key",
			"ALTER TABLE counting_results DROP CONSTRAINT counting_results_camera_id_fkey",
			"a camera with results stays",
		],
		["a lost default", "ALTER TABLE cameras ALTER COLUMN status DROP DEFAULT", "1.0.0_cameras.sql"],
		[
			"a lost index",
			"DROP INDEX idx_counting_results_camera_time",
			"a camera's results are indexed by time, newest first",
		],
		[
			"a disabled trigger",
			"ALTER TABLE cameras DISABLE TRIGGER deployment_write_fence",
			"every trigger is enabled: deployment_write_fence",
		],
		[
			"a table beside the fence",
			"DROP TRIGGER deployment_write_fence ON counting_results",
			"every table is behind the write fence: counting_results",
		],
		["a right to write that is missing", "REVOKE SELECT ON cameras FROM %", "the application can read"],
	];
	for (const [what, statement, test] of broken) {
		it(`find ${what}`, async () => {
			database = await stagedDatabase("closed");
			await query(database.owner, statement.replace("%", `"${database.application.user}"`));
			const { passed, failed } = await runShipped("database-tests", database);
			assert.equal(passed, false);
			assert.ok(
				failed.some((name) => name.endsWith(test)),
				failed.join("\n"),
			);
		});
	}
});

describe("a file of database tests", () => {
	let database: StagedDatabase;
	let directory: string;

	before(async () => {
		database = await stagedDatabase("none");
	});
	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "counting-sql-tests-"));
	});
	afterEach(() => rmSync(directory, { recursive: true, force: true }));
	after(() => database.close());

	async function resultsOf(sql: string) {
		writeFileSync(join(directory, "1.0.0_own.sql"), sql);
		const [tests] = readSqlTests(directory);
		return withClient(database.owner, { applicationName: "test" }, (client) => runSqlTests(client, tests!));
	}

	it("tells of each assertion what was found and what was expected", async () => {
		assert.deepEqual(
			await resultsOf(`SELECT pg_temp.is(1 + 1, 3, 'sums'); SELECT pg_temp.ok(NULL, 'known');
				SELECT pg_temp.throws('SELECT 1', '22012', 'fails'); SELECT pg_temp.throws('SELECT 1 / 0', '22012', 'divides');
				SELECT pg_temp.lives('SELECT 1 / 0', 'lives'); SELECT pg_temp.is(NULL, NULL::text, 'nothing');`),
			[
				{ passed: false, name: "sums", detail: "found 2, expected 3" },
				{ passed: false, name: "known", detail: "it is unknown" },
				{ passed: false, name: "fails", detail: "no error, expected 22012" },
				{ passed: true, name: "divides", detail: "" },
				{ passed: false, name: "lives", detail: "division by zero (22012)" },
				{ passed: true, name: "nothing", detail: "" },
			],
		);
	});

	it("fails with the line of an error outside of the assertions", async () => {
		const results = await resultsOf("SELECT pg_temp.ok(true, 'fine');\n\nSELECT nonsense FROM cameras;\n");
		assert.deepEqual(results.at(-1), {
			passed: false,
			name: join(directory, "1.0.0_own.sql"),
			detail: 'line 3: column "nonsense" does not exist (42703)',
		});
	});

	it("fails when it tests nothing", async () => {
		assert.deepEqual(
			(await resultsOf("INSERT INTO cameras (id, camera_name) VALUES (-9, 'x');")).map(
				({ detail }) => detail,
			),
			["it tests nothing: call one of the assertions"],
		);
		assert.deepEqual(await query(database.owner, "SELECT FROM cameras"), []);
	});

	it("comes in the order of its version", () => {
		for (const name of ["1.10.0_b.sql", "1.9.0_a.sql", "1.9.0_b.sql", "notes.txt", "draft.sql"]) {
			writeFileSync(join(directory, name), "SELECT 1;");
		}
		assert.deepEqual(
			readSqlTests(directory).map(({ path }) => path.slice(directory.length + 1)),
			["1.9.0_a.sql", "1.9.0_b.sql", "1.10.0_b.sql"],
		);
	});
});
