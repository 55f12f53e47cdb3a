import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import type { Client } from "pg";
import { connect } from "../../components/database/connection";
import { MigrationError } from "../../components/migrations/error";
import type { Migration } from "../../components/migrations/migration";
import type { MigrationSettings } from "../../components/migrations/options";
import { migrate } from "../../components/migrations/run";
import { appliedVersions, type Bench, catalogStates, catalogSteps, file, openBench } from "./support";
import { MigratingProcess, until, untilActive } from "./waiting";

/** Sleeps as long as the table says: for ever until the test has seen enough, then not at all. */
const PAUSE = "SELECT pg_sleep(seconds) FROM pace;";

describe("a run that is killed", () => {
	let bench: Bench;
	const processes: MigratingProcess[] = [];

	beforeEach(async () => {
		bench = await openBench();
		await bench.inTarget(
			"CREATE TABLE pace (seconds int); INSERT INTO pace VALUES (60); CREATE TABLE done (what text)",
		);
	});

	afterEach(async () => {
		await Promise.all(processes.splice(0).map((each) => each.kill()));
		await bench.close();
	});

	function start(wanted: Migration[], changed: Partial<MigrationSettings> = {}): MigratingProcess {
		const process = new MigratingProcess(bench.options(wanted, changed));
		processes.push(process);
		return process;
	}

	/** Lets every pause pass, and runs again as the next update would. */
	async function again(wanted: Migration[]) {
		await bench.inTarget("UPDATE pace SET seconds = 0");
		await bench.nextDeployment();
		return migrate(bench.options(wanted));
	}

	const done = async () =>
		(await bench.inTarget<{ what: string }>("SELECT what FROM done")).map(({ what }) => what);

	it("while it waits for its turn leaves nothing behind", async () => {
		const wanted = bench.write("1.0.0_a.sql", file("INSERT INTO done VALUES ('a')", "SELECT 1"));
		const other = bench.write("2.0.0_pause.sql", file(PAUSE, "SELECT 1")).slice(1);
		const holder = start(other);
		await untilActive(bench, "pg_sleep");
		const waiting = start(wanted);
		await until("the second run waits", async () => {
			const rows = await bench.inTarget(
				"SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_try_advisory_lock%'",
			);
			return rows.length > 0;
		});
		await waiting.kill();
		await holder.kill();
		assert.deepEqual((await again(wanted)).applied, ["1.0.0"]);
		assert.deepEqual(await done(), ["a"]);
		assert.deepEqual(await catalogStates(bench), { "1.0.0": "completed applied", "2.0.0": "failed" });
	});

	it("inside a migration leaves nothing of it, and all of those before", async () => {
		bench.write("1.0.0_a.sql", file("INSERT INTO done VALUES ('a')", "SELECT 1"));
		bench.write("1.1.0_b.sql", file(`INSERT INTO done VALUES ('b'); ${PAUSE}`, "SELECT 1"));
		const wanted = bench.write("1.2.0_c.sql", file("INSERT INTO done VALUES ('c')", "SELECT 1"));
		const run = start(wanted);
		await untilActive(bench, "pg_sleep");
		await until("the catalog knows", async () => (await catalogStates(bench))["1.1.0"] === "running");
		await run.kill();
		assert.deepEqual(await appliedVersions(bench), ["1.0.0"]);
		assert.deepEqual((await again(wanted)).applied, ["1.1.0", "1.2.0"]);
		assert.deepEqual(await done(), ["a", "b", "c"]);
		assert.deepEqual(await catalogStates(bench), {
			"1.0.0": "completed applied",
			"1.1.0": "completed applied",
			"1.2.0": "completed applied",
		});
		assert.deepEqual(await catalogSteps(bench, "1.1.0"), [
			"migration_start",
			"migration_reconcile",
			"migration_start",
			"migration_complete",
		]);
	});

	it("between the commit and the catalog's knowing is found to have applied", async () => {
		const gate = 42;
		bench.write(
			"1.0.0_a.sql",
			file(`SELECT pg_advisory_xact_lock(${gate}); INSERT INTO done VALUES ('a')`, "SELECT 1"),
		);
		const wanted = bench.write("1.1.0_b.sql", file("INSERT INTO done VALUES ('b')", "SELECT 1"));
		const [keeper, blocker] = await Promise.all([
			connect(bench.target.owner, { applicationName: "keeper" }),
			connect(bench.catalog.owner, { applicationName: "blocker" }),
		]);
		await keeper.query("SELECT pg_advisory_lock($1)", [gate]);
		const run = start(wanted, { lockTimeoutMs: 15_000 });
		await untilActive(bench, "pg_advisory_xact_lock", "advisory");
		await until("the catalog knows", async () => (await catalogStates(bench))["1.0.0"] === "running");
		await blocker.query("BEGIN; LOCK TABLE deployment_migrations IN EXCLUSIVE MODE");
		await keeper.end();
		await until("both are applied", async () => (await appliedVersions(bench)).length === 2);
		await run.kill();
		await until("its backends have noticed", async () => (await idle(bench)) && (await catalogIdle(bench)));
		await blocker.end();
		assert.deepEqual(await catalogStates(bench), { "1.0.0": "running", "1.1.0": "pending" });
		assert.deepEqual((await again(wanted)).applied, []);
		assert.deepEqual(await done(), ["a", "b"]);
		assert.deepEqual(await catalogStates(bench), {
			"1.0.0": "completed applied",
			"1.1.0": "completed applied",
		});
		assert.deepEqual(await catalogSteps(bench, "1.1.0"), ["migration_reconcile"]);
	});

	it("inside CREATE INDEX CONCURRENTLY leaves an invalid index, which is built again", async () => {
		bench.write(
			"1.0.0_t.sql",
			file("CREATE TABLE t AS SELECT generate_series(1, 1000) AS id", "DROP TABLE t"),
		);
		const wanted = bench.write(
			"1.1.0_i.sql",
			file("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (id)", "DROP INDEX CONCURRENTLY i", {
				type: "index",
				transaction: false,
			}),
		);
		await migrate(bench.options(wanted.slice(0, 1)));
		const old = await oldSnapshot(bench);
		const run = start(wanted);
		await untilActive(bench, "CREATE INDEX CONCURRENTLY", "virtualxid");
		await run.kill();
		await until("its backend has noticed", () => idle(bench));
		await old.end();
		assert.deepEqual(await indexes(bench, "i"), [false]);
		assert.deepEqual((await again(wanted)).applied, ["1.1.0"]);
		assert.deepEqual(await indexes(bench, "i"), [true]);
		assert(
			bench.lines.includes(
				"index public.i is invalid after an interrupted build: it is dropped and built again",
			),
		);
	});

	it("inside DROP INDEX CONCURRENTLY goes on with it", async () => {
		bench.write(
			"1.0.0_t.sql",
			file("CREATE TABLE t AS SELECT generate_series(1, 1000) AS id", "DROP TABLE t"),
		);
		const wanted = bench.write(
			"1.1.0_i.sql",
			file("CREATE INDEX CONCURRENTLY i ON t (id)", "DROP INDEX CONCURRENTLY i", {
				type: "index",
				transaction: false,
			}),
		);
		await migrate(bench.options(wanted));
		const old = await oldSnapshot(bench);
		const run = start(wanted.slice(0, 1));
		await untilActive(bench, "DROP INDEX CONCURRENTLY", "virtualxid");
		await run.kill();
		await until("its backend has noticed", () => idle(bench));
		await old.end();
		assert.deepEqual(await indexes(bench, "i"), [false]);
		assert.deepEqual((await again(wanted.slice(0, 1))).undone, ["1.1.0"]);
		assert.deepEqual(await indexes(bench, "i"), []);
		assert.deepEqual(await appliedVersions(bench), ["1.0.0"]);
	});

	it("between statements outside a transaction goes on with the next, its settings set again", async () => {
		const wanted = bench.write(
			"1.0.0_a.sql",
			file(
				`INSERT INTO done VALUES ('first'); SET application_name = 'kept'; ${PAUSE}
				INSERT INTO done VALUES (current_setting('application_name'))`,
				"TRUNCATE done",
				{ type: "data", transaction: false },
			),
		);
		const run = start(wanted);
		await untilActive(bench, "pg_sleep");
		await run.kill();
		assert.deepEqual(
			await bench.inTarget("SELECT state, statements_done FROM deployment.schema_migrations"),
			[{ state: "running", statements_done: 2 }],
		);
		assert.deepEqual(await bench.inTarget("SELECT * FROM deployment.schema_version"), []);
		assert.deepEqual((await again(wanted)).applied, ["1.0.0"]);
		assert.deepEqual(await done(), ["first", "kept"]);
	});

	it("between statements outside a transaction can be put back instead", async () => {
		const wanted = bench.write(
			"1.0.0_a.sql",
			file(
				`CREATE TABLE first_one (id int); INSERT INTO first_one VALUES (1); ${PAUSE} CREATE TABLE second_one (id int)`,
				"DROP TABLE second_one; DROP TABLE first_one",
				{ transaction: false },
			),
		);
		const run = start(wanted);
		await untilActive(bench, "pg_sleep");
		await run.kill();
		const report = await again([]);
		assert.deepEqual(report.undone, ["1.0.0"]);
		assert.deepEqual(
			report.backups.map(({ table, rows }) => [table, rows]),
			[["public.first_one", 1]],
		);
		assert.deepEqual(await bench.inTarget("SELECT to_regclass('first_one') AS left"), [{ left: null }]);
		assert.deepEqual(await catalogStates(bench), { "1.0.0": "rolled_back" });
	});

	it("between statements outside a transaction is undone and done anew when its file was mended", async () => {
		const options = { transaction: false };
		bench.write("1.0.0_base.sql", file("SELECT 1", "SELECT 1"));
		const up = `CREATE TABLE t (id int); ${PAUSE} SELECT 1`;
		const broken = bench.write("1.1.0_a.sql", file(up, "DROP TABLE t", options));
		const run = start(broken);
		await untilActive(bench, "pg_sleep");
		await run.kill();
		const mended = bench.write("1.1.0_a.sql", file("CREATE TABLE t (id bigint)", "DROP TABLE t", options));
		const report = await again(mended);
		assert.deepEqual([report.undone, report.applied], [["1.1.0"], ["1.1.0"]]);
	});

	it("inside an undo leaves the migration whole, and the next run saves its rows anew", async () => {
		const wanted = bench.write(
			"1.0.0_a.sql",
			file("CREATE TABLE t (id int)", `DROP TABLE t; ${PAUSE} INSERT INTO done VALUES ('undone')`),
		);
		await migrate(bench.options(wanted));
		await bench.inTarget("INSERT INTO t VALUES (1)");
		const run = start([]);
		await untilActive(bench, "pg_sleep");
		await run.kill();
		await until("nobody works", () => idle(bench));
		assert.deepEqual(await bench.inTarget("SELECT * FROM t"), [{ id: 1 }]);
		assert.deepEqual((await again([])).undone, ["1.0.0"]);
		assert.deepEqual(await done(), ["undone"]);
		assert.equal(readdirSync(bench.backupDirectory).length, 2);
		assert.deepEqual(await catalogStates(bench), { "1.0.0": "rolled_back" });
	});

	it("by the loss of its connection undoes on a new one what it had applied", async () => {
		bench.write("1.0.0_a.sql", file("INSERT INTO done VALUES ('a')", "DELETE FROM done"));
		const wanted = bench.write("1.1.0_b.sql", file(PAUSE, "SELECT 1"));
		const run = migrate(bench.options(wanted));
		const failure = assert.rejects(run, (error: Error) => {
			assert(error instanceof MigrationError);
			assert.match(error.message, /1\.1\.0 b failed at .*terminating connection.*\(57P01\)/s);
			assert.deepEqual(error.undone, ["1.0.0"]);
			return true;
		});
		await untilActive(bench, "pg_sleep");
		await bench.inTarget(
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
		);
		await failure;
		assert.deepEqual(await done(), []);
		assert.deepEqual(await catalogStates(bench), { "1.0.0": "rolled_back", "1.1.0": "failed" });
		assert.deepEqual((await again(wanted)).applied, ["1.0.0", "1.1.0"]);
	});

	it("by a full disk drops nothing, and says what to do", async () => {
		const wanted = bench.write(
			"1.0.0_a.sql",
			file("CREATE TABLE t AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)", "DROP TABLE t"),
		);
		await migrate(bench.options(wanted));
		const run = new MigratingProcess(bench.options([]), "ulimit -f 64");
		processes.push(run);
		assert.match(await run.failure(), /undoing migration 1\.0\.0 a failed: .*EFBIG/);
		assert.deepEqual(await bench.inTarget("SELECT count(*)::integer FROM t"), [{ count: 5000 }]);
		assert.deepEqual(readdirSync(bench.backupDirectory), []);
		assert.deepEqual(await appliedVersions(bench), ["1.0.0"]);
	});
});

/** A transaction that every CONCURRENTLY has to wait for. */
async function oldSnapshot(bench: Bench): Promise<Client> {
	const client = await connect(bench.target.owner, { applicationName: "old snapshot" });
	await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");
	return client;
}

/** Whether the indexes of that name are valid. */
async function indexes(bench: Bench, name: string): Promise<boolean[]> {
	const rows = await bench.inTarget<{ valid: boolean }>(
		"SELECT indisvalid AS valid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = $1",
		[name],
	);
	return rows.map(({ valid }) => valid);
}

const RUNS =
	"SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'migrations of %'";

/** Whether no run is connected to the target any more. */
async function idle(bench: Bench): Promise<boolean> {
	return (await bench.inTarget(RUNS)).length === 0;
}

async function catalogIdle(bench: Bench): Promise<boolean> {
	return (await bench.inCatalog(RUNS)).length === 0;
}
