import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type Client, escapeIdentifier } from "pg";
import { clientConfig, withClient } from "../../components/database/connection";
import type { CopyStep } from "../../components/replication/copy";
import { testServer } from "../support/postgres";
import { until } from "../support/waiting";
import { CopyBench, SLOT } from "./copy-bench";

const STEPS: CopyStep[] = ["truncate", "drop indexes", "slot", "copy", "verify", "indexes", "analyze"];

describe("a copy that cannot go on", () => {
	let bench: CopyBench;
	beforeEach(async () => {
		bench = await CopyBench.make();
	});
	afterEach(() => bench.remove());

	/** The copy fails for a reason, and leaves neither slot nor session. */
	async function assertFails(copy: Promise<unknown>, reason: RegExp): Promise<void> {
		await assert.rejects(copy, reason);
		assert.deepEqual(await bench.slots(), []);
		await until("the copy's sessions are gone", async () => (await bench.sessions()) === 0);
	}

	function at(step: CopyStep, work: () => Promise<unknown>): { step(name: CopyStep): Promise<void> } {
		return {
			step: async (name) => {
				if (name === step) await work();
			},
		};
	}

	const fill = (rows: number) =>
		`INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, ${rows}) AS i`;
	const TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE INDEX i ON t (v)";

	/** Holds up the target within its rows, when more have been sent than the connection takes in. */
	async function holdUpTarget(seconds: number): Promise<void> {
		await bench.inTarget(`
			CREATE FUNCTION hold_up(id int) RETURNS boolean LANGUAGE plpgsql AS $$
				BEGIN IF id = 500 THEN PERFORM pg_sleep(${seconds}); END IF; RETURN true; END $$;
			ALTER TABLE t ADD CHECK (hold_up(id))`);
	}

	/** Ends the backend of the database that runs a statement, once it does. */
	async function endBackend(database: string, query: string, waitEvent: string): Promise<void> {
		await until(`${query} waits`, async () => {
			const rows = await bench.inSource(
				`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = $1 AND query LIKE $2 AND wait_event = $3`,
				[database, query, waitEvent],
			);
			return rows.length > 0;
		});
	}

	it("is begun anew and ends whole, wherever it was killed", async () => {
		await bench.schema(TABLE);
		await bench.inSource(fill(100));
		for (const killAt of STEPS) {
			const child = spawn(process.execPath, ["--require", "tsx/cjs", join(__dirname, "copy-child.ts")], {
				stdio: ["pipe", "inherit", "inherit"],
			});
			child.stdin!.end(JSON.stringify({ ...bench.options, killAt }));
			assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
			assert.equal((await bench.copy()).rows, 100);
			assert.deepEqual(
				await bench.inTarget("SELECT indexname FROM pg_indexes WHERE tablename = 't' ORDER BY 1"),
				[{ indexname: "i" }, { indexname: "t_pkey" }],
			);
		}
		assert.deepEqual(await bench.slots(), [SLOT]);
	});

	it("names the table of which the target has other rows", async () => {
		await bench.schema(`${TABLE}; CREATE TABLE fine (id int)`);
		await bench.inSource(fill(100));
		const alter = () => bench.inTarget("UPDATE t SET v = 'other' WHERE id = 7");
		await assertFails(
			bench.copy(at("verify", alter)),
			/^Error: the copy from blue-1 to green-2 failed at the step "verify": public\.t has 100 rows on blue-1 and on green-2, but not the same ones$/,
		);
		const add = () => bench.inTarget("INSERT INTO t VALUES (0); INSERT INTO fine VALUES (1)");
		await assertFails(
			bench.copy({ verification: "counts", ...at("verify", add) }),
			/public\.fine has 0 rows on blue-1, but 1 on green-2; public\.t has 100 rows on blue-1, but 101 on green-2$/,
		);
		assert.equal((await bench.copy()).rows, 100);
	});

	it("names the table of which the target refuses a row", async () => {
		await bench.schema(TABLE);
		await bench.inSource(fill(100));
		await bench.inTarget("ALTER TABLE t ADD CHECK (id < 50)");
		await assertFails(
			bench.copy(),
			/at the step "copy": public\.t: new row for relation "t" violates check constraint/,
		);
	});

	it("names all tables that the target lacks, and removes no rows there", async () => {
		await bench.schema(TABLE);
		await bench.inSource('CREATE TABLE "A b" (id int); CREATE TABLE b (id int)');
		await bench.inTarget("INSERT INTO t VALUES (1)");
		await assertFails(
			bench.copy(),
			/"truncate": green-2 lacks public\."A b", public\.b: apply the migrations of blue-1/,
		);
		assert.equal((await bench.inTarget("SELECT FROM t")).length, 1);
	});

	it("refuses to leave out rows that a policy hides from its role", async () => {
		await bench.schema(`${TABLE}; ALTER TABLE t ENABLE ROW LEVEL SECURITY`);
		await bench.inSource(fill(1));
		await assertFails(
			bench.copy(),
			/public\.t: query would be affected by row-level security policy for table "t"/,
		);
	});

	it("names the transactions that the slot waited for in vain", async () => {
		await bench.schema(TABLE);
		const admin = await testServer();
		const session = { applicationName: "nightly report" };
		await withClient(admin, session, async (client) => {
			await client.query("BEGIN; SELECT pg_current_xact_id()");
			await assertFails(
				bench.copy({ slotTimeoutMs: 1_000 }),
				/"slot": the slot copying_1_to_2 could not be made on blue-1 within 1 s, .*: pid \d+ \(user postgres, application "nightly report", database postgres, open for \d+ s\)\. End them, or raise/,
			);
			await client.query("COMMIT");
		});
		await bench.copy();
	});

	it("gives up in time while its slot waits", async () => {
		await bench.schema(TABLE);
		await bench.withSource(async (client) => {
			await client.query("BEGIN; SELECT pg_current_xact_id()");
			await assertFails(
				bench.copy({ timeoutMs: 1_000 }),
				/"slot": it was not done within 1 s: raise the time limit of the copy$/,
			);
		});
	});

	it("leaves alone a slot that something else reads from", async () => {
		await bench.schema(TABLE);
		await bench.copy();
		const reader = await readSlot(bench);
		await assert.rejects(
			bench.copy({ slotTimeoutMs: 500 }),
			/the slot copying_1_to_2 on blue-1 is still used by pid \d+ \("the reader"\): end it/,
		);
		assert.deepEqual(await bench.slots(), [SLOT]);
		await reader.end();
	});

	it("ends when the source loses a connection amid the rows", async () => {
		await bench.schema(TABLE);
		await bench.inSource(fill(20_000));
		await holdUpTarget(1);
		await Promise.all([
			assertFails(bench.copy(), /"copy": public\.t: the connection to the source was lost: /),
			endBackend(bench.source.admin.database, "COPY % TO %", "ClientWrite"),
		]);
	});

	it("ends when the target loses a connection amid the rows", async () => {
		await bench.schema(TABLE);
		await bench.inSource(fill(20_000));
		await holdUpTarget(60);
		await Promise.all([
			assertFails(bench.copy(), /"copy": public\.t: terminating connection due to administrator command/),
			endBackend(bench.target.admin.database, "COPY % FROM %", "PgSleep"),
		]);
	});

	it("ends at its deadline when a server falls silent", async () => {
		await bench.schema(TABLE);
		await bench.inSource(fill(20_000));
		const server = await silencingProxy(bench.target.admin.port, 1 << 20);
		try {
			const target = { ...bench.target, admin: { ...bench.target.admin, port: server.port } };
			await assert.rejects(
				bench.copy({ target, timeoutMs: 3_000 }),
				/"copy": it was not done within 3 s: raise the time limit of the copy$/,
			);
			assert.deepEqual(await bench.slots(), []);
		} finally {
			server.close();
		}
	});

	it("tells that its slot was lost meanwhile", async () => {
		await bench.schema(TABLE);
		const lose = () => bench.inSource("SELECT pg_drop_replication_slot($1)", [SLOT]);
		await assertFails(bench.copy(at("analyze", lose)), /the slot copying_1_to_2 on blue-1 is gone/);
	});

	it("tells what its caller refused", async () => {
		await bench.schema(TABLE);
		const refuse = () => Promise.reject(new Error("not today"));
		await assertFails(bench.copy(at("indexes", refuse)), /at the step "indexes": not today$/);
	});
});

/** A session that streams from the slot. */
async function readSlot({ source }: CopyBench): Promise<{ end(): Promise<void> }> {
	const { Client: PgClient } = await import("pg");
	const config = {
		...clientConfig(source.replication, { applicationName: "the reader" }),
		replication: "database",
	};
	const client: Client = new PgClient(config);
	await client.connect();
	const reading = client.query(
		`START_REPLICATION SLOT ${escapeIdentifier(SLOT)} LOGICAL 0/0 (proto_version '1', publication_names '${SLOT}')`,
	);
	reading.catch(() => {});
	return {
		async end() {
			await client.end();
			await reading.catch(() => {});
		},
	};
}

/** Passes everything on until so many bytes have gone to the server through one connection, and then nothing. */
async function silencingProxy(port: number, limit: number): Promise<{ port: number; close(): void }> {
	const sockets: Socket[] = [];
	const server = createServer((client) => {
		const upstream = connect(port, "127.0.0.1");
		sockets.push(client, upstream);
		let bytes = 0;
		client.on("data", (chunk) => {
			bytes += chunk.length;
			if (bytes > limit) client.pause();
			else upstream.write(chunk);
		});
		upstream.on("data", (chunk) => client.write(chunk));
		client.on("error", () => {});
		upstream.on("error", () => {});
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return {
		port: (server.address() as { port: number }).port,
		close() {
			for (const socket of sockets) socket.destroy();
			server.close();
		},
	};
}
