import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { type Connection, connect, withClient } from "../../components/database/connection";
import { RunningGateway } from "../gateway/running-gateway";
import { type TestDatabase, testDatabase } from "../support/postgres";
import { until } from "../support/waiting";
import { WorkloadApp } from "./workload/app";
import { check, describeDiscrepancies } from "./workload/checker";
import { compareColors } from "./workload/compare-colors";
import { Ledger } from "./workload/ledger";
import { type Kind, type Operation, perform } from "./workload/operation";
import { Random } from "./workload/random";
import { createWorkloadSchema, openAccounts, SHARED_ACCOUNTS } from "./workload/schema";
import { Writers } from "./workload/writers";

const SESSION = { applicationName: "test" };
const common = { pauseMs: 0, isolation: "READ COMMITTED" } as const;

describe("the workload", () => {
	let database: TestDatabase;
	let client: Client;
	let ledger: Ledger;

	beforeEach(async () => {
		database = await workloadDatabase();
		client = await connect(database.superuser, SESSION);
		ledger = new Ledger("op");
	});

	afterEach(async () => {
		await client.end();
		await database.drop();
	});

	async function workloadDatabase(): Promise<TestDatabase> {
		const made = await testDatabase();
		await withClient(made.owner, SESSION, async (owner) => {
			await createWorkloadSchema(owner, made.owner.user);
			await openAccounts(owner);
		});
		return made;
	}

	const found = () => check(ledger, database.superuser);

	describe("through the real gateway", () => {
		let gateway: RunningGateway;
		let app: WorkloadApp;

		beforeEach(async () => {
			gateway = await RunningGateway.start();
			app = await start(database.owner);
			await gateway.client.putTarget("blue", { url: app.url });
			await gateway.client.route({ target: "blue" });
		});

		afterEach(async () => {
			await gateway.stop();
			await app.stop();
		});

		const start = (connection: Connection) => WorkloadApp.start({ database: connection, release: "1.0.0" });

		/** Writes for as long as `work` lasts. */
		async function write(work: () => Promise<unknown>): Promise<void> {
			const writers = Writers.start({
				url: gateway.url,
				ledger,
				random: new Random(7),
				count: 12,
				thinkMs: 2,
				pauseMs: 20,
				repeatableReadShare: 0.2,
			});
			try {
				await work();
			} finally {
				await writers.stop();
			}
		}

		/** Waits until so many operations have been acknowledged from now on. */
		async function acknowledged(count: number): Promise<void> {
			const enough = ledger.counts().acknowledged + count;
			await until(`${enough} writes`, () => ledger.counts().acknowledged >= enough || undefined);
		}

		it("does every kind of operation, and a clean run has no discrepancy", async () => {
			await write(() => acknowledged(400));
			assert.equal(describeDiscrepancies(await found()), "");
			const { failed, unknown, pending } = ledger.counts();
			assert.deepEqual({ failed, unknown, pending }, { failed: 0, unknown: 0, pending: 0 });
			const kinds = new Set(ledger.entries.map(({ operation }) => operation.kind));
			assert.deepEqual([...kinds].sort(), [
				"amend",
				"compound",
				"delete",
				"insert",
				"move",
				"touch",
				"transfer",
				"update",
			] satisfies Kind[]);
		});

		it("finds a service that speaks as a release does", async () => {
			const [ready, version] = await Promise.all(
				["/readyz", "/version"].map(async (path) => (await fetch(gateway.url + path)).json()),
			);
			assert.deepEqual(ready, { status: "ready" });
			assert.deepEqual(version, { service: "workload", release: "1.0.0" });
		});

		it("is told to try again, and nothing is written, where the database refuses writes", async () => {
			await client.query(`ALTER DATABASE ${database.owner.database} SET default_transaction_read_only = on`);
			// With new sessions, which obey.
			await app.stop();
			app = await start(database.owner);
			await gateway.client.putTarget("blue", { url: app.url });
			await write(() => until("20 answers", () => ledger.counts().refused >= 20 || undefined));
			const { refused } = ledger.counts();
			assert.equal(refused, ledger.entries.length);
			assert.equal(ledger.entries[0]?.sqlState, "25006");
			const reply = await fetch(`${gateway.url}/op`, {
				method: "POST",
				body: JSON.stringify({ kind: "update", opId: "x", ...common, account: 1, amount: 1 }),
			});
			assert.deepEqual([reply.status, reply.headers.get("retry-after")], [503, "1"]);
			assert.equal(describeDiscrepancies(await found()), "");
		});

		it("does not know what became of a request whose connection broke, and either is right", async () => {
			await write(async () => {
				await acknowledged(100);
				gateway.program.child.kill("SIGKILL");
				await gateway.program.exitCode();
				await gateway.launch();
				await acknowledged(100);
			});
			assert.ok(ledger.counts().unknown > 0);
			assert.equal(describeDiscrepancies(await found()), "");
		});

		it("knows how long nothing was acknowledged", async () => {
			const begin = performance.now();
			await write(async () => {
				await acknowledged(50);
				const { holdId } = await gateway.client.hold({ timeoutMs: 5000, waitForIdleMs: 1000 });
				await sleep(250);
				await gateway.client.release(holdId);
				await acknowledged(50);
			});
			const gap = ledger.longestGap(begin, performance.now());
			assert.ok(gap.ms >= 250, `${gap.ms} ms`);
			assert.ok(Math.abs(gap.to - gap.from - gap.ms) < 1e-6);
		});

		it("finds the writes that a switch without any care loses", async () => {
			const other = await workloadDatabase();
			const second = await start(other.owner);
			try {
				await gateway.client.putTarget("green", { url: second.url });
				await write(async () => {
					await acknowledged(100);
					await gateway.client.route({ target: "green" });
					await acknowledged(100);
				});
				const kinds = new Set((await check(ledger, other.superuser)).map(({ kind }) => kind));
				assert.ok(kinds.has("lost"));
				assert.ok(kinds.has("sequence"));
				const differences = await compareColors(database.superuser, other.superuser, 0);
				assert.ok(differences.some((line) => line.startsWith("public.operations ")));
			} finally {
				await second.stop();
				await other.drop();
			}
		});
	});

	describe("checks", () => {
		/** Does an operation as the service would, acknowledged or not. */
		async function done(operation: Unnamed, acknowledge = true): Promise<string> {
			const entry = ledger.send({ ...common, ...operation, opId: ledger.nextId() } as Operation);
			const answer = await perform(client, entry.operation);
			ledger.settle(entry, acknowledge ? "acknowledged" : "unknown", acknowledge ? { answer } : {});
			return entry.operation.opId;
		}

		/** Everything that an operation may do, and no discrepancy yet. */
		async function someHistory(): Promise<void> {
			await done({ kind: "insert", amount: 50 });
			await done({ kind: "insert", amount: 70 });
			await done({ kind: "amend", account: SHARED_ACCOUNTS + 1, target: "op-1", amount: 5 });
			await done({ kind: "delete", account: SHARED_ACCOUNTS + 2 });
			await done({ kind: "update", account: 1, amount: 10 });
			await done({ kind: "transfer", from: 2, to: 1, amount: 7 }, false);
			await done({ kind: "compound", account: 3, at: 5, counter: "Äpfel", amount: 9 });
			await done({ kind: "move", target: "op-7", at: 5, to: 250 });
		}

		beforeEach(async () => {
			await someHistory();
			assert.deepEqual(await found(), []);
		});

		it("report an acknowledged write that is lost with all its parts", async () => {
			await client.query(`
				DELETE FROM operations WHERE op_id = 'op-5';
				DELETE FROM events WHERE note = 'op-5';
				UPDATE accounts SET balance = balance - 10, version = version - 1 WHERE id = 1`);
			assert.deepEqual(await found(), [
				{ kind: "lost", of: "op-5", what: "update was acknowledged and is not there" },
			]);
		});

		it("let a write be missing that nobody acknowledged", async () => {
			await client.query(`
				DELETE FROM operations WHERE op_id = 'op-6';
				DELETE FROM events WHERE note = 'op-6';
				UPDATE accounts SET balance = 1010, version = 1 WHERE id = 1;
				UPDATE accounts SET balance = 1000, version = 0 WHERE id = 2`);
			assert.deepEqual(await found(), []);
		});

		it("report a write that was done twice", async () => {
			await client.query(`
				INSERT INTO events SELECT * FROM events WHERE note = 'op-5';
				UPDATE accounts SET balance = balance + 10, version = version + 1 WHERE id = 1`);
			assert.deepEqual(await found(), [
				{ kind: "wrong", of: "account 1", what: "has 1027 after 3 changes instead of 1017 after 2" },
				{ kind: "doubled", of: "op-5", what: "event op-5 on account 1 is there 2 times" },
			]);
		});

		it("report writes without any key that were lost, came twice, or were overwritten by their own echo", async () => {
			for (const account of [10, 11, 12, 13]) {
				await done({ kind: "touch", account, amount: 1 });
			}
			assert.deepEqual(await found(), []);
			await client.query(`
				DELETE FROM events WHERE note = 'op-9';
				UPDATE accounts SET balance = 1000, version = 0 WHERE id IN (9, 10, 12);
				INSERT INTO events VALUES (11, 1, 'op-10')`);
			assert.deepEqual(await found(), [
				{ kind: "lost", of: "op-9", what: "touch was acknowledged and is not there" },
				{ kind: "wrong", of: "account 12", what: "has 1000 after 0 changes instead of 1001 after 1" },
				{ kind: "doubled", of: "op-10", what: "event op-10 on account 11 is there 2 times" },
			]);
		});

		it("report half a transaction", async () => {
			await client.query("DELETE FROM events WHERE note = 'op-6' AND account = 2");
			await client.query("UPDATE accounts SET balance = 1000, version = 0 WHERE id = 2");
			await client.query("DELETE FROM tickets WHERE op_id = 'op-7'");
			assert.deepEqual(await found(), [
				{ kind: "wrong", of: "account 2", what: "has 1000 after 0 changes instead of 993 after 1" },
				{ kind: "half-written", of: "op-6", what: "event op-6 on account 2 is missing" },
				{ kind: "half-written", of: "op-7", what: "its ticket is missing" },
			]);
		});

		it("report parts that are there without their operation", async () => {
			await client.query("DELETE FROM operations WHERE op_id IN ('op-7', 'op-8')");
			assert.deepEqual(await found(), [
				{ kind: "lost", of: "op-7", what: "compound was acknowledged and is not there" },
				{ kind: "lost", of: "op-8", what: "move was acknowledged and is not there" },
				{ kind: "half-written", of: "op-7", what: "its ticket is there without the operation" },
				{ kind: "half-written", of: "op-7", what: "its measure is there without the operation" },
				{ kind: "wrong", of: "counter Äpfel", what: "is 9 instead of 0" },
			]);
		});

		it("report a deletion and a change that did not reach all rows", async () => {
			await client.query(`
				INSERT INTO accounts (id, balance) VALUES (${SHARED_ACCOUNTS + 2}, 70);
				INSERT INTO events VALUES (${SHARED_ACCOUNTS + 2}, 70, 'op-2');
				UPDATE events SET amount = 50 WHERE note = 'op-1';
				UPDATE measures SET at = 5 WHERE op_id = 'op-7'`);
			assert.deepEqual(await found(), [
				{ kind: "half-written", of: "op-4", what: "account 26 is still there" },
				{ kind: "wrong", of: "op-1", what: "event op-1 on account 25 has 50 instead of 55" },
				{ kind: "half-written", of: "op-4", what: "event op-2 on account 26 is still there" },
				{ kind: "wrong", of: "op-7", what: "its measure's at is 5 instead of 250" },
			]);
		});

		it("report what nobody sent, and what was answered not to have happened", async () => {
			ledger.entries[4]!.outcome = "refused";
			ledger.entries[4]!.reason = "503 closed";
			await client.query(`
				INSERT INTO operations (op_id, kind) VALUES ('x', 'update');
				INSERT INTO events VALUES (5, 1, 'x');
				INSERT INTO accounts (balance) VALUES (1)`);
			assert.deepEqual(await found(), [
				{ kind: "phantom", of: "op-5", what: "update is there although it was answered 503 closed" },
				{ kind: "phantom", of: "x", what: "update is there and nobody sent it" },
				{ kind: "phantom", of: "account 27", what: "is there and nobody opened it" },
				{ kind: "phantom", of: "x", what: "event x on account 5 is there and nobody wrote it" },
			]);
		});

		it("report numbers that were handed out twice", async () => {
			await client.query(
				"SELECT setval('ticket_numbers', 1, false), setval('accounts_id_seq', 25, false); DELETE FROM tickets",
			);
			await done({ kind: "compound", account: 4, at: 5, counter: "Birnen", amount: 1 });
			assert.deepEqual(await found(), [
				{ kind: "sequence", of: "op-9", what: "ticket 1 had been handed out to op-7 already" },
				{ kind: "half-written", of: "op-7", what: "its ticket is missing" },
			]);
			const entry = ledger.send({ ...common, kind: "insert", opId: ledger.nextId(), amount: 1 });
			ledger.settle(entry, "failed", { reason: "500 duplicate key", sqlState: "23505" });
			assert.ok(
				(await found()).some(({ kind, of, what }) => `${kind} ${of} ${what}` === COLLISION),
				COLLISION,
			);
		});

		const COLLISION = "sequence op-10 insert was answered 500 duplicate key";

		it("compare two databases by all their rows, whatever their order and their further columns", async () => {
			const other = await workloadDatabase();
			try {
				await withClient(other.superuser, SESSION, async (copy) => {
					await copy.query("ALTER TABLE events ADD COLUMN later integer DEFAULT 3");
					const mine = client;
					client = copy;
					ledger = new Ledger("op");
					await someHistory();
					client = mine;
					assert.deepEqual(await compareColors(database.superuser, other.superuser), []);
					await copy.query("UPDATE events SET account = account + 1 WHERE note = 'op-5'");
					await copy.query(`DELETE FROM "Größen"."Zähler 1"`);
					await copy.query("UPDATE measures SET at = at + 1");
				});
				assert.deepEqual(await compareColors(database.superuser, other.superuser, 100), [
					`"Größen"."Zähler 1" has 1 rows on one side and 0 on the other`,
					"public.events has 4 rows on both sides, with different values",
					"public.measures has 1 rows on both sides, with different values",
				]);
			} finally {
				await other.drop();
			}
		});
	});

	it("chooses the same for the same seed", () => {
		const numbers = (seed: number) =>
			Array.from({ length: 5 }, (_, index) => new Random(seed + index).next());
		assert.deepEqual(numbers(1), numbers(1));
		assert.notDeepEqual(numbers(1), numbers(2));
		const random = new Random(3);
		const picked = Array.from({ length: 1000 }, () => random.weighted({ often: 9, seldom: 1 }));
		const seldom = picked.filter((each) => each === "seldom").length;
		assert.ok(seldom > 60 && seldom < 140, String(seldom));
	});

	it("has names of its own for each run", () => {
		assert.notEqual(new Ledger(randomBytes(4).toString("hex")).nextId(), ledger.nextId());
	});
});

type Unnamed = Operation extends infer Each
	? Each extends Operation
		? Omit<Each, "opId" | "pauseMs" | "isolation">
		: never
	: never;
