import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { connect, withClient } from "../../components/database/connection";
import { MigrationError } from "../../components/migrations/error";
import { migrate } from "../../components/migrations/run";
import { RunLockError } from "../../components/migrations/run-lock";
import { appliedVersions, type Bench, catalogStates, file, openBench } from "./support";
import { until, untilActive } from "./waiting";

describe("a run beside others", () => {
	let bench: Bench;
	const clients: Client[] = [];

	beforeEach(async () => {
		bench = await openBench();
		await bench.inTarget("CREATE TABLE busy (id int); INSERT INTO busy VALUES (1)");
	});

	afterEach(async () => {
		await Promise.all(clients.splice(0).map((client) => client.end()));
		await bench.close();
	});

	/** A session of the service that reads the table in a transaction, and leaves that open. */
	async function reader(): Promise<Client> {
		const client = await connect(bench.target.owner, { applicationName: "reader" });
		clients.push(client);
		await client.query("BEGIN; SELECT * FROM busy");
		return client;
	}

	const alter = () =>
		bench.write(
			"1.0.0_a.sql",
			file("ALTER TABLE busy ADD COLUMN more int", "ALTER TABLE busy DROP COLUMN more"),
		);

	it("applies everything once when there are two at once", async () => {
		await bench.inTarget("CREATE TABLE done (what text)");
		bench.write("1.0.0_a.sql", file("INSERT INTO done VALUES ('a'); SELECT pg_sleep(0.2)", "SELECT 1"));
		const wanted = bench.write("1.1.0_b.sql", file("INSERT INTO done VALUES ('b')", "SELECT 1"));
		const first = bench.options(wanted);
		await bench.nextDeployment();
		const reports = await Promise.all([migrate(first), migrate(bench.options(wanted))]);
		assert.deepEqual(reports.flatMap(({ applied }) => applied).sort(), ["1.0.0", "1.1.0"]);
		assert.deepEqual(await bench.inTarget("SELECT what FROM done ORDER BY what"), [
			{ what: "a" },
			{ what: "b" },
		]);
	});

	it("gives up after its deadline, naming who holds the database and since when", async () => {
		const wanted = bench.write("1.0.0_a.sql", file("SELECT pg_sleep(5)", "SELECT 1"));
		const holding = migrate(bench.options(wanted));
		await untilActive(bench, "pg_sleep");
		const [holder] = await bench.inTarget<{ pid: number; since: Date }>(
			"SELECT pid, backend_start AS since FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
		);
		const started = performance.now();
		await assert.rejects(migrate(bench.options(wanted, { advisoryLockTimeoutMs: 300 })), (error: Error) => {
			assert(error instanceof RunLockError);
			assert.equal(
				error.message,
				`another run works on database ${bench.target.owner.database}: its lock was not free within 300 ms; it is held by ` +
					`process ${holder?.pid} (migrations of deployment ${bench.deploymentId}, role ${bench.target.owner.user}), ` +
					`connected since ${holder?.since.toISOString()}. Wait for that run, or end it, then run the update again`,
			);
			return true;
		});
		assert(performance.now() - started >= 300);
		await bench.inTarget("SELECT pg_cancel_backend($1)", [holder?.pid]);
		await assert.rejects(holding, /canceling statement due to user request/);
	});

	it("gives way while a table is locked, and is through as soon as it is free", async () => {
		const service = await reader();
		const run = migrate(bench.options(alter(), { lockTimeoutMs: 100, lockRetries: 50 }));
		await until("it has retried twice", async () => bench.lines.length >= 2);
		await service.query("COMMIT");
		assert.deepEqual((await run).applied, ["1.0.0"]);
		assert.match(bench.lines[0] ?? "", /^1\.0\.0 a could not have its lock, retry 1 of 50 in \d+ ms$/);
	});

	it("does not let others wait behind it for longer than its lock timeout", async () => {
		await reader();
		const lockTimeoutMs = 150;
		const run = migrate(bench.options(alter(), { lockTimeoutMs, lockRetries: 6 }));
		const refused = assert.rejects(run, (error: Error) => {
			assert(error instanceof MigrationError);
			assert.equal(error.code, "55P03");
			return true;
		});
		let over = false;
		const watching = refused.finally(() => {
			over = true;
		});
		// The server itself breaks off whoever queues behind the migration for longer than that.
		let reads = 0;
		await withClient(bench.target.owner, { applicationName: "other" }, async (client) => {
			await client.query(`SET lock_timeout = ${lockTimeoutMs * 4}`);
			while (!over) {
				await client.query("SELECT * FROM busy");
				reads++;
				await sleep(5);
			}
		});
		await watching;
		assert(reads > 10);
		assert.equal(bench.lines.filter((line) => line.includes("could not have its lock")).length, 6);
		assert.deepEqual(await appliedVersions(bench), []);
		assert.deepEqual(await catalogStates(bench), { "1.0.0": "failed" });
	});

	it("retries the lock of a single statement outside a transaction, and does nothing twice", async () => {
		const service = await reader();
		const wanted = bench.write(
			"1.0.0_a.sql",
			file(
				"CREATE TABLE once (id int); ALTER TABLE busy ADD COLUMN more int",
				"ALTER TABLE busy DROP COLUMN more; DROP TABLE once",
				{ transaction: false },
			),
		);
		const run = migrate(bench.options(wanted, { lockTimeoutMs: 100, lockRetries: 50 }));
		await until("it has retried", async () => bench.lines.length >= 1);
		await service.query("COMMIT");
		assert.deepEqual((await run).applied, ["1.0.0"]);
	});

	it("lets an index build wait for old transactions longer than the lock timeout", async () => {
		const service = await connect(bench.target.owner, { applicationName: "old" });
		clients.push(service);
		await service.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM busy");
		const wanted = bench.write(
			"1.0.0_a.sql",
			file("CREATE INDEX CONCURRENTLY i ON busy (id)", "DROP INDEX CONCURRENTLY i", { transaction: false }),
		);
		const run = migrate(bench.options(wanted, { lockTimeoutMs: 50, lockRetries: 0 }));
		await untilActive(bench, "CREATE INDEX CONCURRENTLY", "virtualxid");
		await sleep(200);
		await service.query("COMMIT");
		assert.deepEqual((await run).applied, ["1.0.0"]);
	});

	it("clears away a failed index build, and undoes the migration", async () => {
		await bench.inTarget("INSERT INTO busy VALUES (1)");
		bench.write("1.0.0_b.sql", file("CREATE TABLE b (id int)", "DROP TABLE b"));
		const wanted = bench.write(
			"1.1.0_a.sql",
			file(
				"CREATE INDEX CONCURRENTLY plain ON busy (id); CREATE UNIQUE INDEX CONCURRENTLY i ON busy (id)",
				"DROP INDEX CONCURRENTLY i; DROP INDEX CONCURRENTLY plain",
				{ transaction: false },
			),
		);
		await assert.rejects(migrate(bench.options(wanted)), (error: Error) => {
			assert(error instanceof MigrationError);
			assert.equal(error.code, "23505");
			assert.deepEqual(error.undone, ["1.1.0", "1.0.0"]);
			return true;
		});
		assert.deepEqual(
			await bench.inTarget(
				"SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'busy'::regclass",
			),
			[],
		);
		await bench.inTarget("DELETE FROM busy");
		assert.deepEqual((await migrate(bench.options(wanted))).applied, ["1.0.0", "1.1.0"]);
	});

	it("runs a procedure that commits by itself", async () => {
		bench.write(
			"1.0.0_p.sql",
			file(
				`CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN
					FOR i IN 1..3 LOOP INSERT INTO busy VALUES (i); COMMIT; END LOOP; END $$`,
				"DROP PROCEDURE fill",
				{ type: "function" },
			),
		);
		const wanted = bench.write(
			"1.1.0_fill.sql",
			file("CALL fill(); DO $$ BEGIN COMMIT; END $$; VACUUM busy", "SELECT 1", {
				type: "data",
				transaction: false,
			}),
		);
		assert.deepEqual((await migrate(bench.options(wanted))).applied, ["1.0.0", "1.1.0"]);
		assert.deepEqual(await bench.inTarget("SELECT count(*)::integer FROM busy"), [{ count: 4 }]);
	});
});
