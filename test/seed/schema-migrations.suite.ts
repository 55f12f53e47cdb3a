import assert from "node:assert/strict";
import { MigrationError } from "../../components/migrations/error";
import { loadMigrations } from "../../components/migrations/files";
import type { Migration } from "../../components/migrations/migration";
import { wantedFor } from "../../components/migrations/order";
import { MigrationFilesError } from "../../components/migrations/problems";
import { migrate } from "../../components/migrations/run";
import { appliedVersions, type Bench, catalogStates, file, openBench, TARGET } from "../migrations/support";

/** The migrations that the system begins with. */
function shipped(): Migration[] {
	return wantedFor("1.3.0", loadMigrations("migrations"));
}

describe("the schema migrations", () => {
	let bench: Bench;

	beforeEach(async () => {
		bench = await openBench();
	});

	afterEach(() => bench.close());

	/** The execution log of a migration. */
	const logOf = (version: string) =>
		bench.inCatalog<{
			step: string;
			status: string;
			duration: number | null;
			error: string | null;
			deployment: number;
		}>(
			`SELECT execution_step AS step, step_status AS status, step_duration_ms::integer AS duration,
				log.error_message AS error, deployment_id::integer AS deployment
			FROM deployment_execution_logs AS log JOIN deployment_migrations AS migration ON migration.id = migration_id
			WHERE migration_version = $1 ORDER BY log.id`,
			[version],
		);

	it("are four to begin with, 1.0.0 to 1.3.0, each with its type, its dependencies and SQL to undo it", () => {
		assert.deepEqual(
			shipped().map(({ version, name, type, dependsOn }) => [version, name, type, dependsOn]),
			[
				["1.0.0", "create_initial_schema", "schema", []],
				["1.1.0", "add_camera_metadata", "schema", ["create_initial_schema"]],
				["1.2.0", "create_counting_results_table", "schema", ["create_initial_schema"]],
				["1.3.0", "add_performance_indexes", "index", ["create_counting_results_table"]],
			],
		);
		assert.deepEqual(
			shipped().map(({ down }) => down?.sql.trim()),
			[
				"DROP TABLE cameras;",
				"ALTER TABLE cameras DROP COLUMN metadata;",
				"DROP TABLE counting_results;",
				"DROP INDEX CONCURRENTLY IF EXISTS idx_counting_results_camera_time;",
			],
		);
	});

	it("make the tables, columns and the index that are asked for", async () => {
		await migrate(bench.options(shipped()));
		const columns = await bench.inTarget<{ name: string }>(
			`SELECT table_name || '.' || column_name AS name FROM information_schema.columns
			WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`,
		);
		assert.deepEqual(
			columns.map(({ name }) => name),
			[
				...["id", "camera_name", "location", "status", "created_at", "metadata"].map(
					(name) => `cameras.${name}`,
				),
				...["id", "camera_id", "count_type", "count_value", "confidence_score", "created_at"].map(
					(name) => `counting_results.${name}`,
				),
			],
		);
		assert.deepEqual(
			await bench.inTarget(
				"SELECT pg_get_indexdef(to_regclass('idx_counting_results_camera_time')) AS definition",
			),
			[
				{
					definition:
						"CREATE INDEX idx_counting_results_camera_time ON public.counting_results USING btree (camera_id, created_at DESC)",
				},
			],
		);
	});

	it("are on record with their SQL, the SQL that undoes them, their dependencies, and who applied them when", async () => {
		await migrate(bench.options(shipped()));
		assert.deepEqual(
			await bench.inCatalog(
				`SELECT migration_name AS name, migration_sql, rollback_sql, dependencies, is_applied, status, applied_by,
					applied_at IS NOT NULL AND execution_time_ms IS NOT NULL AND error_message IS NULL AS complete
				FROM deployment_migrations ORDER BY id`,
			),
			shipped().map(({ name, up, down, dependsOn }) => ({
				name,
				migration_sql: up.sql,
				rollback_sql: down?.sql,
				dependencies: dependsOn,
				is_applied: true,
				status: "completed",
				applied_by: "tester",
				complete: true,
			})),
		);
	});

	it("run only when what they depend on exists: otherwise nothing runs, and the missing one is named", async () => {
		assert.throws(
			() =>
				bench.write("2.0.0_b.sql", file("CREATE TABLE b (id int);", "DROP TABLE b;", { depends: "no_such" })),
			(error: Error) => {
				assert.ok(error instanceof MigrationFilesError);
				assert.match(error.message, /it depends on no_such, which no migration is named/);
				return true;
			},
		);
		assert.deepEqual(await bench.inTarget("SELECT to_regnamespace('deployment') AS made"), [{ made: null }]);
	});

	it("run after what they depend on, whatever their versions say", async () => {
		bench.write("1.1.0_late.sql", file("CREATE TABLE late (id int);", "DROP TABLE late;"));
		const wanted = bench.write(
			"1.0.0_early.sql",
			file("ALTER TABLE late ADD COLUMN early int;", "ALTER TABLE late DROP COLUMN early;", {
				depends: "late",
			}),
		);
		assert.deepEqual((await migrate(bench.options(wanted))).applied, ["1.1.0", "1.0.0"]);
	});

	it("run without dependencies too", async () => {
		const wanted = bench.write("1.0.0_alone.sql", file("SELECT 1;", "SELECT 1;"));
		assert.deepEqual(wanted[0]?.dependsOn, []);
		assert.deepEqual((await migrate(bench.options(wanted))).applied, ["1.0.0"]);
	});

	it("run once: one that is applied is not applied again", async () => {
		const wanted = bench.write("1.0.0_a.sql", file("CREATE TABLE a (id int);", "DROP TABLE a;"));
		await migrate(bench.options(wanted));
		assert.deepEqual((await migrate(bench.options(wanted))).applied, []);
		assert.equal((await logOf("1.0.0")).length, 2);
	});

	it("log their start and their end, with the deployment and how long they took", async () => {
		const wanted = bench.write("1.0.0_slow.sql", file("SELECT pg_sleep(0.06);", "SELECT 1;"));
		await migrate(bench.options(wanted));
		const log = await logOf("1.0.0");
		assert.deepEqual(
			log.map(({ duration: _, ...line }) => line),
			[
				{ step: "migration_start", status: "started", error: null, deployment: bench.deploymentId },
				{ step: "migration_complete", status: "completed", error: null, deployment: bench.deploymentId },
			],
		);
		assert.equal(log[0]?.duration, null);
		assert.ok((log[1]?.duration ?? 0) >= 60, String(log[1]?.duration));
		const [record] = await bench.inCatalog<{ took: number }>(
			"SELECT execution_time_ms::integer AS took FROM deployment_migrations",
		);
		assert.equal(record?.took, log[1]?.duration);
	});

	it("that fail are recorded with their error and their time, although nothing of them stays", async () => {
		const wanted = bench.write(
			"1.0.0_a.sql",
			file("CREATE TABLE a (id int);\nSELECT 1 / 0;", "DROP TABLE a;"),
		);
		await assert.rejects(migrate(bench.options(wanted)), (error: Error) => {
			assert.ok(error instanceof MigrationError);
			assert.match(error.message, /^migration 1\.0\.0 a failed at .*: division by zero \(22012\)/);
			return true;
		});
		assert.deepEqual(await bench.inTarget("SELECT to_regclass('a') AS a"), [{ a: null }]);
		const [started, failed, ...others] = await logOf("1.0.0");
		assert.deepEqual([started?.step, started?.status, others], ["migration_start", "started", []]);
		assert.deepEqual([failed?.step, failed?.status], ["migration_failed", "failed"]);
		assert.match(failed?.error ?? "", /division by zero/);
		assert.ok((failed?.duration ?? -1) >= 0);
		const [record] = await bench.inCatalog<Record<string, unknown>>(
			"SELECT status, is_applied, error_message FROM deployment_migrations",
		);
		assert.deepEqual([record?.status, record?.is_applied], ["failed", false]);
		assert.match(String(record?.error_message), /division by zero/);
	});

	it("may create an index concurrently, which no transaction can", async () => {
		bench.write("1.0.0_a.sql", file("CREATE TABLE a (id int);", "DROP TABLE a;"));
		const wanted = bench.write(
			"1.1.0_a_id.sql",
			file("CREATE INDEX CONCURRENTLY a_id ON a (id);", "DROP INDEX CONCURRENTLY IF EXISTS a_id;", {
				type: "index",
				transaction: false,
			}),
		);
		await migrate(bench.options(wanted));
		assert.deepEqual(
			await bench.inTarget("SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'a_id'::regclass"),
			[{ valid: true }],
		);
	});

	it("are of type schema, data, index or function", () => {
		const types = ["schema", "data", "index", "function"];
		for (const [place, type] of types.entries()) {
			bench.write(`1.0.${place}_${type}.sql`, file("SELECT 1;", "SELECT 1;", { type }));
		}
		assert.deepEqual(
			loadMigrations(bench.directory).map(({ type }) => type),
			types,
		);
		assert.throws(
			() => bench.write("1.1.0_x.sql", file("SELECT 1;", "SELECT 1;", { type: "other" })),
			/other/,
		);
	});

	it("are undone in reverse order by their rollback SQL, and are then recorded as rolled back", async () => {
		await migrate(bench.options(shipped()));
		const { undone } = await migrate(bench.options(wantedFor("1.0.0", shipped())));
		assert.deepEqual(undone, ["1.3.0", "1.2.0", "1.1.0"]);
		assert.deepEqual(await appliedVersions(bench), ["1.0.0"]);
		assert.deepEqual(await catalogStates(bench), {
			"1.0.0": "completed applied",
			"1.1.0": "rolled_back",
			"1.2.0": "rolled_back",
			"1.3.0": "rolled_back",
		});
		const order = await bench.inCatalog<{ version: string }>(
			`SELECT migration_version AS version FROM deployment_execution_logs AS log
			JOIN deployment_migrations AS migration ON migration.id = migration_id
			WHERE execution_step = 'rollback_complete' AND target_database = $1 ORDER BY log.id`,
			[TARGET],
		);
		assert.deepEqual(
			order.map(({ version }) => version),
			["1.3.0", "1.2.0", "1.1.0"],
		);
	});
});
