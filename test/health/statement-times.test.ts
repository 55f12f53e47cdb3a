import assert from "node:assert/strict";
import type { Connection } from "../../components/database/connection";
import { withClient } from "../../components/database/connection";
import {
	checkPerformance,
	meanTimes,
	type StatementSnapshot,
	snapshotStatements,
} from "../../components/health/statement-times";
import { type TestDatabase, testDatabase, testServer } from "../support/postgres";
import { countStatements } from "./examined";

const LIMITS = { slowStatementMs: 100, slowStatementFailMs: 1000 };

function snapshot(
	seconds: number,
	statements: Record<string, [calls: number, totalMs: number]>,
): StatementSnapshot {
	return {
		takenAt: new Date(seconds * 1000),
		statements: new Map(
			Object.entries(statements).map(([key, [calls, totalMs]]) => [
				key,
				{ text: `SELECT ${key}`, calls, totalMs },
			]),
		),
	};
}

describe("the mean times of statements between two snapshots", () => {
	it("leave out what came before, slowest first", () => {
		const before = snapshot(0, { old: [1000, 900_000], both: [10, 10_000] });
		const after = snapshot(5, { old: [1000, 900_000], both: [12, 10_300], fresh: [4, 40] });
		assert.deepEqual(meanTimes(before, after), [
			{ text: "SELECT both", calls: 2, meanMs: 150 },
			{ text: "SELECT fresh", calls: 4, meanMs: 10 },
		]);
	});

	it("count anew what was set back by somebody", () => {
		const before = snapshot(0, { a: [100, 100], b: [1, 5000] });
		const after = snapshot(5, { a: [2, 60], b: [4, 400] });
		assert.deepEqual(meanTimes(before, after), [
			{ text: "SELECT b", calls: 4, meanMs: 100 },
			{ text: "SELECT a", calls: 2, meanMs: 30 },
		]);
	});
});

describe("the check of the performance", () => {
	it("passes below the limit, warns from it on and fails from the next on, by the slowest mean", () => {
		const judged = (meanMs: number) =>
			checkPerformance(snapshot(0, {}), snapshot(4, { fast: [50, 50], slow: [2, 2 * meanMs] }), LIMITS);
		assert.deepEqual(judged(99.94), {
			check: "performance",
			status: "PASS",
			figure: 99.9,
			unit: "ms",
			detail: "the slowest mean of 2 statements in 4.0 s, of 2 executions of SELECT slow",
		});
		assert.deepEqual(
			[judged(100).status, judged(999).status, judged(1000).status],
			["WARNING", "WARNING", "FAIL"],
		);
		assert.match(judged(100).detail, /; 1 of them from 100 ms on: look at their plans and indexes$/);
	});

	it("passes while nothing is executed", () => {
		assert.deepEqual(checkPerformance(snapshot(0, { a: [1, 9000] }), snapshot(2, { a: [1, 9000] }), LIMITS), {
			check: "performance",
			status: "PASS",
			figure: 0,
			unit: "ms",
			detail: "no statement was executed in 2.0 s",
		});
	});

	it("warns where the server does not count", () => {
		const { status, detail } = checkPerformance(undefined, undefined, LIMITS);
		assert.equal(status, "WARNING");
		assert.match(detail, /preload pg_stat_statements and create the extension/);
	});
});

describe("a snapshot of the statements", () => {
	let administrator: Connection;
	let database: TestDatabase;

	beforeEach(async () => {
		[administrator, database] = [await testServer(), await testDatabase()];
		await countStatements(administrator);
	});

	afterEach(() => database.drop());

	function run(connection: Connection, ...statements: string[]): Promise<void> {
		return withClient(connection, { applicationName: "test" }, async (client) => {
			for (const statement of statements) {
				await client.query(statement);
			}
		});
	}

	async function take(): Promise<StatementSnapshot> {
		const { database: name, user } = database.owner;
		const found = await snapshotStatements(administrator, { database: name, role: user });
		assert.ok(found);
		return found;
	}

	it("has the statements of one role in one database, without their values", async () => {
		const before = await take();
		await run(
			database.owner,
			"SELECT 'secret-value', pg_sleep(0.15)",
			"SELECT 'other-value', pg_sleep(0.05)",
		);
		await run(database.superuser, "SELECT 'of another role', 1, pg_sleep(0.3)");
		const means = meanTimes(before, await take()).filter(({ text }) => text.includes("pg_sleep"));
		assert.deepEqual(
			means.map(({ text, calls }) => ({ text, calls })),
			[{ text: "SELECT $1, pg_sleep($2)", calls: 2 }],
		);
		assert.ok(means[0]!.meanMs >= 99, String(means[0]!.meanMs));
	});

	it("does not set the counters back, which others read too", async () => {
		await run(database.owner, "SELECT 1 AS kept");
		await take();
		const { statements } = await take();
		assert.deepEqual(
			[...statements.values()].filter(({ text }) => text.includes("kept")).map(({ calls }) => calls),
			[1],
		);
	});

	it("is not to be had where the extension is not", async () => {
		const { database: name, user } = database.owner;
		assert.equal(await snapshotStatements(database.superuser, { database: name, role: user }), undefined);
	});
});
