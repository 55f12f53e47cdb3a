import assert from "node:assert/strict";
import { appliedMigrations } from "../../components/catalog/migrations";
import { withClient } from "../../components/database/connection";
import {
	DatabaseUnavailableError,
	MigrationError,
	MigrationPlanError,
} from "../../components/migrations/error";
import { loadMigrations } from "../../components/migrations/files";
import { wantedFor } from "../../components/migrations/order";
import { MigrationFilesError } from "../../components/migrations/problems";
import { migrate, undoDeployment } from "../../components/migrations/run";
import { isUpToDate, status } from "../../components/migrations/status";
import { appliedVersions, type Bench, catalogStates, catalogSteps, file, openBench, TARGET } from "./support";

describe("a run of migrations", () => {
	let bench: Bench;

	beforeEach(async () => {
		bench = await openBench();
	});

	afterEach(() => bench.close());

	const expectFailure = async (run: Promise<unknown>): Promise<MigrationError> => {
		const error = await run.then(
			() => assert.fail("it did not fail"),
			(failure) => failure,
		);
		assert(error instanceof MigrationError, String(error));
		return error;
	};

	it("applies the counting system's migrations, raises and puts back the release", async () => {
		const all = loadMigrations("migrations");
		const first = await migrate(bench.options(wantedFor("1.0.0", all)));
		assert.deepEqual(first.applied, ["1.0.0"]);
		const raised = await migrate(bench.options(all));
		assert.deepEqual(raised.applied, ["1.1.0", "1.2.0", "1.3.0", "1.4.0"]);
		assert.deepEqual(await bench.inTarget("SELECT version, migrations FROM deployment.schema_version"), [
			{ version: "1.4.0", migrations: 5 },
		]);
		assert.deepEqual(
			await bench.inTarget(
				"SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_counting_results_camera_time'::regclass",
			),
			[{ indisvalid: true }],
		);
		const back = await migrate(bench.options(wantedFor("1.1.0", all)));
		assert.deepEqual(back.undone, ["1.4.0", "1.3.0", "1.2.0"]);
		assert.deepEqual(back.backups, []);
		assert.deepEqual(await bench.inTarget("SELECT to_regclass('counting_results') AS gone"), [
			{ gone: null },
		]);
		assert.deepEqual(await catalogStates(bench), {
			"1.0.0": "completed applied",
			"1.1.0": "completed applied",
			"1.2.0": "rolled_back",
			"1.3.0": "rolled_back",
			"1.4.0": "rolled_back",
		});
		assert.deepEqual(await catalogSteps(bench, "1.2.0"), [
			"migration_start",
			"migration_complete",
			"rollback_start",
			"rollback_complete",
		]);
	});

	it("says in the catalog and in the target who applied what, when and how long", async () => {
		bench.write("1.0.0_a.sql", file("SELECT pg_sleep(0.05)", "SELECT 1"));
		const wanted = bench.write("1.1.0_b.sql", file("SELECT 1", undefined, { type: "data", depends: "a" }));
		await migrate(bench.options(wanted));
		const columns = `migration_name, migration_type, migration_sql, rollback_sql, dependencies, is_applied, applied_by,
			status, checksum, execution_time_ms >= 50 AS slow, applied_at > now() - interval '1 minute' AS recent`;
		const rows = await bench.inCatalog(`SELECT ${columns} FROM deployment_migrations ORDER BY id`);
		const common = { is_applied: true, applied_by: "tester", status: "completed", recent: true };
		assert.deepEqual(rows, [
			{
				...common,
				migration_name: "a",
				migration_type: "schema",
				migration_sql: "SELECT pg_sleep(0.05)",
				rollback_sql: "SELECT 1\n",
				dependencies: [],
				checksum: wanted[0]!.checksum,
				slow: true,
			},
			{
				...common,
				migration_name: "b",
				migration_type: "data",
				migration_sql: "SELECT 1\n",
				rollback_sql: null,
				dependencies: ["a"],
				checksum: wanted[1]!.checksum,
				slow: false,
			},
		]);
		const records = await bench.inTarget(
			"SELECT version, applied_by, deployment_id::integer, irreversible FROM deployment.schema_migrations ORDER BY sequence",
		);
		const record = { applied_by: "tester", deployment_id: bench.deploymentId };
		assert.deepEqual(records, [
			{ ...record, version: "1.0.0", irreversible: null },
			{ ...record, version: "1.1.0", irreversible: "a test wants it so" },
		]);
		assert.deepEqual(
			bench.lines.map((line) => line.replace(/\d+ ms/, "N ms")),
			["applied 1.0.0 a in N ms", "applied 1.1.0 b in N ms"],
		);
	});

	it("reads one row on each side and writes nothing when there is nothing to do", async () => {
		const wanted = bench.write("1.0.0_a.sql", file("SELECT 1", "SELECT 1"));
		await migrate(bench.options(wanted));
		const counters = () =>
			bench.inCatalog("SELECT count(*)::integer, max(id)::integer FROM deployment_execution_logs");
		const before = await counters();
		const settled = await bench.inTarget("SELECT digest, settled_at FROM deployment.schema_state");
		// While another session holds the whole table, only a run that does not read it comes through.
		await bench.withTarget(async (client) => {
			await client.query("BEGIN; LOCK TABLE deployment.schema_migrations IN ACCESS EXCLUSIVE MODE");
			const report = await migrate(bench.options(wanted));
			assert.deepEqual({ ...report, durationMs: 0 }, { applied: [], undone: [], backups: [], durationMs: 0 });
			assert.equal(await isUpToDate(bench.target.owner, wanted), true);
		});
		assert.deepEqual(await counters(), before);
		assert.deepEqual(await bench.inTarget("SELECT digest, settled_at FROM deployment.schema_state"), settled);
	});

	it("notices records that were changed by other means", async () => {
		bench.write("1.0.0_a.sql", file("SELECT 1", "SELECT 1"));
		const wanted = bench.write("1.1.0_b.sql", file("CREATE TABLE b ()", "DROP TABLE b"));
		await migrate(bench.options(wanted));
		await bench.inTarget("DELETE FROM deployment.schema_migrations WHERE version = '1.1.0'; DROP TABLE b");
		assert.equal(await isUpToDate(bench.target.owner, wanted), false);
		assert.deepEqual((await migrate(bench.options(wanted))).applied, ["1.1.0"]);
	});

	it("leaves each migration a clean session, whatever the one before did to its own", async () => {
		const role = bench.target.owner.user;
		await bench.inTarget("CREATE SCHEMA elsewhere; CREATE TABLE seen (about text, value text)");
		bench.write(
			"1.0.0_spoil.sql",
			file(
				`CREATE TEMPORARY TABLE t (id int);
				SET search_path = elsewhere; SET statement_timeout = 1; SET lock_timeout = 0; SET ROLE pg_database_owner;
				SET default_transaction_read_only = on; PREPARE p AS SELECT 1; LISTEN something;
				DECLARE c CURSOR WITH HOLD FOR SELECT 1;`,
				"SELECT 1",
			),
		);
		const wanted = bench.write(
			"1.1.0_look.sql",
			file(
				`INSERT INTO seen SELECT name, current_setting(name)
				FROM unnest(ARRAY['search_path', 'statement_timeout', 'lock_timeout', 'transaction_read_only']) AS name;
				INSERT INTO seen VALUES ('user', current_user), ('temporary', to_regclass('pg_temp.t')::text),
					('cursors', (SELECT count(*) FROM pg_cursors)), ('channels', (SELECT count(*) FROM pg_listening_channels()));`,
				"SELECT 1",
			),
		);
		await migrate(bench.options(wanted));
		assert.deepEqual(await bench.inTarget("SELECT about, value FROM seen"), [
			{ about: "search_path", value: "public" },
			{ about: "statement_timeout", value: "20s" },
			{ about: "lock_timeout", value: "500ms" },
			{ about: "transaction_read_only", value: "off" },
			{ about: "user", value: role },
			{ about: "temporary", value: null },
			{ about: "cursors", value: "0" },
			{ about: "channels", value: "0" },
		]);
	});

	it("tells of what takes long while it happens", async () => {
		const wanted = bench.write("1.0.0_slow.sql", file("SELECT pg_sleep(2.2)", "SELECT 1"));
		await migrate(bench.options(wanted));
		assert.deepEqual(
			bench.lines.map((line) => line.replace(/\d+ ms/, "N ms")),
			["applying 1.0.0 slow: under way for 2 s", "applied 1.0.0 slow in N ms"],
		);
	});

	it("runs functions, non-ASCII names and comments as they stand", async () => {
		const wanted = bench.write(
			"1.0.0_đếm.sql",
			file(
				`CREATE TABLE "đếm; xe" ("số 🚗" int); -- ghi chú; ở đây
				/* /* nested; */ ; */
				CREATE FUNCTION add_car() RETURNS int LANGUAGE plpgsql AS $đ$
				BEGIN
					INSERT INTO "đếm; xe" VALUES (1);
					RETURN 1; -- COMMIT;
				END;
				$đ$;
				SELECT add_car(), 'a;b', E'\\';';`,
				`DROP FUNCTION add_car; DROP TABLE "đếm; xe" -- last`,
			),
		);
		await migrate(bench.options(wanted));
		assert.deepEqual(await bench.inTarget('SELECT * FROM "đếm; xe"'), [{ "số 🚗": 1 }]);
		const { backups, undone } = await migrate(bench.options([]));
		assert.deepEqual(undone, ["1.0.0"]);
		assert.equal(backups.length, 1);
	});

	describe("that fails", () => {
		it("undoes what it applied, and says where it failed and what it did", async () => {
			const [first] = bench.write("1.0.0_a.sql", file("CREATE TABLE a (id int)", "DROP TABLE a"));
			await migrate(bench.options([first!]));
			await bench.nextDeployment();
			bench.write("1.1.0_b.sql", file("CREATE TABLE b (id int)", "DROP TABLE b"));
			bench.write("1.2.0_c.sql", file("CREATE TABLE c (id int)", "DROP TABLE c"));
			const wanted = bench.write(
				"1.3.0_d.sql",
				file("CREATE TABLE d (id int);\n\tSELECT 'đ🚗', nothing\n\tFROM d;", "DROP TABLE d"),
			);
			const error = await expectFailure(migrate(bench.options(wanted)));
			assert.equal(
				error.message,
				[
					`migration 1.3.0 d failed at ${wanted[3]!.path}:4: column "nothing" does not exist (42703)`,
					"  \tSELECT 'đ🚗', nothing",
					"  \t             ^",
					"automatic rollback: undid 1.2.0, 1.1.0, which this run had applied",
				].join("\n"),
			);
			assert.equal(error.code, "42703");
			assert.deepEqual([error.undone, error.left], [["1.2.0", "1.1.0"], []]);
			assert.deepEqual(await appliedVersions(bench), ["1.0.0"]);
			assert.deepEqual(await catalogStates(bench), {
				"1.0.0": "completed applied",
				"1.1.0": "rolled_back",
				"1.2.0": "rolled_back",
				"1.3.0": "failed",
			});
			const [failed] = await bench.inCatalog<{ error_message: string }>(
				"SELECT error_message FROM deployment_migrations WHERE status = 'failed'",
			);
			assert.equal(failed?.error_message, error.message.split("\n").slice(0, 3).join("\n"));
			const [rollback] = await bench.inCatalog<{ rollback_steps: object[] }>(
				`SELECT pipeline_id::integer, rollback_type, rollback_reason, previous_version, target_version, rollback_status,
					rollback_steps, error_message FROM deployment_rollbacks`,
			);
			assert.deepEqual(
				{ ...rollback, rollback_steps: rollback?.rollback_steps.map((step) => ({ ...step, durationMs: 0 })) },
				{
					pipeline_id: bench.deploymentId,
					rollback_type: "automatic",
					rollback_reason: error.message.split("\n")[0],
					previous_version: "1.3.0",
					target_version: "1.0.0",
					rollback_status: "completed",
					rollback_steps: [
						{ step: "undo 1.2.0 c", status: "completed", durationMs: 0 },
						{ step: "undo 1.1.0 b", status: "completed", durationMs: 0 },
					],
					error_message: null,
				},
			);
			const mended = bench.write("1.3.0_d.sql", file("CREATE TABLE d (id int)", "DROP TABLE d"));
			assert.deepEqual((await migrate(bench.options(mended))).applied, ["1.1.0", "1.2.0", "1.3.0"]);
		});

		it("leaves what it applied when some of it is irreversible", async () => {
			bench.write("1.0.0_a.sql", file("CREATE TABLE a (id int)", undefined));
			bench.write("1.1.0_b.sql", file("CREATE TABLE b (id int)", "DROP TABLE b"));
			const wanted = bench.write("1.2.0_c.sql", file("SELECT 1/0", "SELECT 1"));
			const error = await expectFailure(migrate(bench.options(wanted)));
			assert.match(
				error.message,
				/division by zero \(22012\)\n {2}SELECT 1\/0\n {2}\^\n1\.1\.0, 1\.0\.0 of this run stay as they are: 1\.0\.0 a cannot be undone \(a test wants it so\)$/,
			);
			assert.deepEqual([error.undone, error.left], [[], ["1.1.0", "1.0.0"]]);
			assert.deepEqual(await appliedVersions(bench), ["1.0.0", "1.1.0"]);
			const mended = bench.write("1.2.0_c.sql", file("SELECT 1", "SELECT 1"));
			assert.deepEqual((await migrate(bench.options(mended))).applied, ["1.2.0"]);
		});

		it("says so when the rollback fails as well, and keeps what could not be undone", async () => {
			bench.write("1.0.0_a.sql", file("CREATE TABLE a (id int)", "DROP TABLE a"));
			bench.write("1.1.0_b.sql", file("CREATE TABLE b (id int)", "SELECT 1/0"));
			bench.write("1.2.0_c.sql", file("CREATE TABLE c (id int)", "DROP TABLE c"));
			const wanted = bench.write("1.3.0_d.sql", file("SELECT nothing", "SELECT 1"));
			const error = await expectFailure(migrate(bench.options(wanted)));
			assert.match(
				error.message,
				/the automatic rollback failed: undoing migration 1\.1\.0 b failed at line 1 of its stored down section: division by zero/,
			);
			assert.deepEqual([error.undone, error.left], [["1.2.0"], ["1.1.0", "1.0.0"]]);
			assert.deepEqual(await appliedVersions(bench), ["1.0.0", "1.1.0"]);
			const [rollback] = await bench.inCatalog<{ rollback_status: string; steps: number }>(
				"SELECT rollback_status, jsonb_array_length(rollback_steps) AS steps FROM deployment_rollbacks",
			);
			assert.deepEqual(rollback, { rollback_status: "failed", steps: 2 });
		});

		it("shows what a deferred constraint refuses, with PostgreSQL's detail", async () => {
			const wanted = bench.write(
				"1.0.0_a.sql",
				file(
					`CREATE TABLE a (id int PRIMARY KEY, other int REFERENCES a DEFERRABLE INITIALLY DEFERRED);
INSERT INTO a VALUES (1, 2);`,
					"DROP TABLE a",
				),
			);
			const error = await expectFailure(migrate(bench.options(wanted)));
			assert.equal(error.code, "23503");
			assert.match(
				error.message,
				/1\.0\.0_a\.sql:4: .*\ndetail: Key \(other\)=\(2\) is not present in table "a"\./s,
			);
			assert.deepEqual(await appliedVersions(bench), []);
		});

		it("shows where inside a function it failed", async () => {
			const wanted = bench.write(
				"1.0.0_a.sql",
				file("DO $$ BEGIN RAISE EXCEPTION 'no' USING HINT = 'do it otherwise'; END $$", "SELECT 1"),
			);
			const error = await expectFailure(migrate(bench.options(wanted)));
			assert.match(
				error.message,
				/: no \(P0001\)\n.*\nhint: do it otherwise\ncontext: PL\/pgSQL function inline_code_block/s,
			);
		});

		it("stops a statement that runs too long", async () => {
			const wanted = bench.write("1.0.0_a.sql", file("SELECT pg_sleep(60)", "SELECT 1"));
			const error = await expectFailure(migrate(bench.options(wanted, { statementTimeoutMs: 200 })));
			assert.equal(error.code, "57014");
		});

		it("runs nothing when anything of it is wrong beforehand", async () => {
			bench.write("1.0.0_a.sql", file("CREATE TABLE a (id int)", "DROP TABLE a"));
			const wanted = bench.write("1.1.0_b.sql", file("SELECT 1", "NONSENSE"));
			await assert.rejects(migrate(bench.options(wanted)), MigrationFilesError);
			assert.deepEqual(await bench.inTarget("SELECT to_regclass('a') AS a"), [{ a: null }]);
			const mended = bench.write("1.1.0_b.sql", file("SELECT 1", "SELECT 1"));
			await migrate(bench.options(mended));
			const changed = bench.write("1.0.0_a.sql", file("CREATE TABLE aa (id int)", "DROP TABLE aa"));
			await assert.rejects(migrate(bench.options(changed)), MigrationPlanError);
			assert.deepEqual(await appliedVersions(bench), ["1.0.0", "1.1.0"]);
		});

		it("tells an absent database from a server that does not answer, and never the password", async () => {
			const options = bench.options([]);
			const absent = { ...options.target, database: "no_such_database" };
			const unreachable = { ...options.target, port: 1 };
			for (const [target, reason] of [
				[absent, "absent"],
				[unreachable, "unreachable"],
			] as const) {
				const attempts = [
					() => migrate({ ...options, target }),
					() => status({ target, wanted: [], allowOutOfOrder: false }),
				];
				for (const attempt of attempts) {
					await assert.rejects(attempt, (error: Error) => {
						assert(error instanceof DatabaseUnavailableError);
						assert.equal(error.reason, reason);
						assert(!error.message.includes(target.password));
						return true;
					});
				}
			}
		});
	});

	describe("whose deployment fails later", () => {
		it("is undone by the deployment, and by it alone", async () => {
			const [first] = bench.write("1.0.0_a.sql", file("CREATE TABLE a (id int)", "DROP TABLE a"));
			await migrate(bench.options([first!]));
			await bench.nextDeployment();
			bench.write("1.1.0_b.sql", file("CREATE TABLE b (id int); INSERT INTO b VALUES (7)", "DROP TABLE b"));
			const wanted = bench.write("1.2.0_c.sql", file("SELECT 1", "SELECT 1"));
			await migrate(bench.options(wanted));
			const undo = { ...bench.options([]), reason: "the service is not ready", type: "automatic" } as const;
			const report = await undoDeployment(undo);
			assert.deepEqual(report.undone, ["1.2.0", "1.1.0"]);
			assert.equal(report.backups[0]?.table, "public.b");
			assert.deepEqual(await appliedVersions(bench), ["1.0.0"]);
			const rollbacks = await bench.inCatalog(
				"SELECT rollback_reason, previous_version, target_version, rollback_status FROM deployment_rollbacks",
			);
			assert.deepEqual(rollbacks, [
				{
					rollback_reason: "the service is not ready",
					previous_version: "1.2.0",
					target_version: "1.0.0",
					rollback_status: "completed",
				},
			]);
			assert.deepEqual((await undoDeployment(undo)).undone, []);
			assert.deepEqual(await bench.inCatalog("SELECT count(*)::integer FROM deployment_rollbacks"), [
				{ count: 1 },
			]);
		});

		it("is not undone below a later deployment, nor in part", async () => {
			const [first] = bench.write("1.0.0_a.sql", file("SELECT 1", "SELECT 1"));
			await migrate(bench.options([first!]));
			const early = bench.deploymentId;
			await bench.nextDeployment();
			const wanted = bench.write("1.1.0_b.sql", file("SELECT 1", undefined));
			await migrate(bench.options(wanted));
			const undo = (deploymentId: number) =>
				undoDeployment({ ...bench.options([]), deploymentId, reason: "test", type: "manual" });
			await assert.rejects(undo(early), /1\.1\.0 b was applied later by deployment/);
			await assert.rejects(undo(bench.deploymentId), /1\.1\.0 b cannot be undone \(a test wants it so\)/);
			assert.deepEqual(await appliedVersions(bench), ["1.0.0", "1.1.0"]);
		});
	});

	describe("seen from outside", () => {
		it("shows other roles the schema version and nothing else", async () => {
			await migrate(bench.options(bench.write("1.0.0_a.sql", file("SELECT 1", "SELECT 1"))));
			const privileges = await bench.inTarget(
				`SELECT has_table_privilege($1, 'deployment.schema_migrations', 'SELECT') AS records,
					has_table_privilege($1, 'deployment.schema_state', 'SELECT') AS state,
					has_schema_privilege($1, 'deployment', 'CREATE') AS create,
					has_schema_privilege($1, 'deployment', 'USAGE')
						AND has_table_privilege($1, 'deployment.schema_version', 'SELECT') AS version`,
				[bench.catalog.owner.user],
			);
			assert.deepEqual(privileges, [{ records: false, state: false, create: false, version: true }]);
		});

		it("leaves in the catalog what was applied, with the SQL of both directions", async () => {
			bench.write("1.0.0_a.sql", file("SELECT 1", "SELECT 2"));
			const wanted = bench.write("1.1.0_b.sql", file("SELECT 3", undefined, { depends: "a" }));
			await migrate(bench.options(wanted));
			const stored = await withClient(bench.catalog.owner, { applicationName: "test" }, (client) =>
				appliedMigrations(client, TARGET),
			);
			assert.deepEqual(
				stored.map(({ version, sql, rollbackSql, dependsOn }) => [version, sql, rollbackSql, dependsOn]),
				[
					["1.0.0", "SELECT 1", "SELECT 2\n", []],
					["1.1.0", "SELECT 3\n", null, ["a"]],
				],
			);
		});

		it("has a status that says what is applied and what would happen, and makes nothing", async () => {
			const wanted = bench.write("1.0.0_a.sql", file("SELECT 1", "SELECT 2"));
			const question = { target: bench.target.owner, allowOutOfOrder: false };
			const before = await status({ ...question, wanted });
			assert.deepEqual(before, {
				applied: [],
				plan: { apply: wanted, undo: [], problems: [] },
				stored: new Map(),
			});
			assert.deepEqual(await bench.inTarget("SELECT to_regnamespace('deployment') AS made"), [
				{ made: null },
			]);
			await migrate(bench.options(wanted));
			const after = await status({ ...question, wanted });
			assert.deepEqual(after.plan, { apply: [], undo: [], problems: [] });
			assert.deepEqual(
				after.applied.map(({ version, state, deploymentId }) => [version, state, deploymentId]),
				[["1.0.0", "applied", bench.deploymentId]],
			);
			const back = await status({ ...question, wanted: [] });
			assert.deepEqual(back.plan.undo, after.applied);
			assert.equal(back.stored.get("1.0.0")?.down?.sql, "SELECT 2\n");
		});
	});
});
