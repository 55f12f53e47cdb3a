import assert from "node:assert/strict";
import type { Client } from "pg";
import { closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { finishRollback, startRollback } from "../../components/catalog/rollbacks";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { connect } from "../../components/database/connection";
import { historyText, liveText } from "../../components/history/history-text";
import { joinHistory } from "../../components/history/join";
import { liveAt, type RecordedRelease, recordedReleases } from "../../components/history/recorded-release";
import { readHistory } from "../../components/history/stack-update";
import { type TestDatabase, testDatabase } from "../support/postgres";

const KEY = "camera-counting:release";

/** An entry as `stack history --json` has it. */
function past(minute: number, others: Record<string, unknown> = {}) {
	const at = (seconds: number) =>
		`2026-03-01T10:${String(minute).padStart(2, "0")}:${String(seconds).padStart(2, "0")}.000Z`;
	return {
		kind: "update",
		result: "succeeded",
		startTime: at(0),
		endTime: at(50),
		message: "Count by zone",
		environment: { "git.head": "0123456789abcdef", "git.author": "Lan" },
		config: { [KEY]: { value: "1.3.0", secret: false } },
		...others,
	};
}

function deployment(id: number, minute: number, others: Partial<RecordedRelease> = {}): RecordedRelease {
	const at = (seconds: string) => `2026-03-01T10:${String(minute).padStart(2, "0")}:${seconds}Z`;
	return {
		deployment: id,
		release: "1.3.0",
		status: "completed",
		startedAt: at("02.5"),
		endedAt: at("49.25"),
		triggeredBy: "lan",
		commit: "0123456789abcdef",
		branch: "main",
		error: null,
		rollbacks: [],
		...others,
	};
}

describe("a stack's history", () => {
	it("has each update with the deployment that began in its time", () => {
		const updates = readHistory(
			[past(20), past(12, { kind: "refresh" }), past(10, { result: "failed" }), past(0)],
			KEY,
		);
		const recorded = [deployment(3, 20), deployment(2, 10, { status: "rolled_back" }), deployment(1, 0)];
		assert.deepEqual(
			joinHistory(updates, recorded).map(({ update, recorded: own }) => [
				update?.kind,
				update?.result,
				own?.deployment,
			]),
			[
				["update", "succeeded", 3],
				["refresh", "succeeded", undefined],
				["update", "failed", 2],
				["update", "succeeded", 1],
			],
		);
	});

	it("has an update that is under way, which has no end yet, with its deployment", () => {
		const underWay = { result: "in-progress", endTime: undefined };
		const updates = readHistory([past(20, underWay), past(0)], KEY);
		assert.deepEqual(
			joinHistory(updates, [deployment(2, 20, { status: "running", endedAt: null }), deployment(1, 0)]).map(
				({ update, recorded }) => [update?.result, recorded?.deployment],
			),
			[
				["in-progress", 2],
				["succeeded", 1],
			],
		);
	});

	it("keeps updates that had nothing to do, and deployments whose update is not known", () => {
		const joined = joinHistory(readHistory([past(20), past(10)], KEY), [
			deployment(2, 15),
			deployment(1, 10),
		]);
		assert.deepEqual(
			joined.map(({ update, recorded }) => [update?.startTime.slice(14, 16), recorded?.deployment]),
			[
				["20", undefined],
				[undefined, 2],
				["10", 1],
			],
		);
	});

	it("tells who released what, when, from which commit, and how it ended", () => {
		const back = {
			type: "manual",
			reason: "release 1.2.0 was put back",
			status: "completed",
			from: "1.3.0",
			to: "1.2.0",
		} as const;
		const entries = joinHistory(readHistory([past(10), past(0)], KEY), [
			deployment(2, 10, { release: "1.2.0", rollbacks: [back] }),
			deployment(1, 0),
		]);
		assert.deepEqual(
			historyText(entries)
				.split("\n")
				.map((line) => line.split(/ {2,}/)),
			[
				["BEGAN", "WHAT", "RELEASE", "OUTCOME", "TOOK", "COMMIT", "BY"],
				[
					"2026-03-01 10:10:02Z",
					"update",
					"1.2.0",
					"completed; manual rollback 1.3.0 → 1.2.0: release 1.2.0 was put back",
					"46.8 s",
					"01234567",
					"lan",
				],
				["2026-03-01 10:00:02Z", "update", "1.3.0", "completed", "46.8 s", "01234567", "lan"],
			],
		);
		assert.equal(historyText([]), "the stack has never been updated");
	});

	it("knows which release was live at a time", () => {
		const recorded = [
			deployment(4, 40, { release: "1.5.0", status: "running", endedAt: null }),
			deployment(3, 30, { release: "1.4.0", status: "rolled_back" }),
			deployment(2, 20, { release: "1.3.0" }),
			deployment(1, 0, { release: "1.2.0" }),
		];
		const at = (time: string) => liveAt(recorded, new Date(`2026-03-01T${time}Z`))?.release;
		assert.deepEqual(
			["09:59:00", "10:00:49.000", "10:00:49.250", "10:20:30", "10:20:49.250", "10:45:00"].map(at),
			[undefined, undefined, "1.2.0", "1.2.0", "1.3.0", "1.3.0"],
		);
		const time = new Date("2026-03-01T10:45:00Z");
		assert.equal(
			liveText(time, liveAt(recorded, time)),
			"release 1.3.0 was live at 2026-03-01 10:45:00Z, since 2026-03-01 10:20:49Z (deployment 2)",
		);
		assert.equal(
			liveText(new Date("2026-03-01T09:00:00Z"), undefined),
			"no release was live at 2026-03-01 09:00:00Z",
		);
	});
});

describe("the releases that a catalog has on record", () => {
	let database: TestDatabase;
	let client: Client;

	before(async () => {
		database = await testDatabase();
		client = await connect(database.owner, { applicationName: "history-test" });
		await upgradeCatalog(client);
	});

	after(async () => {
		await client.end();
		await database.drop();
	});

	it("are read with their times, their commit and what was gone back from", async () => {
		const opened = (release: string) =>
			openDeployment(client, {
				pipelineName: "counting",
				release,
				environment: "staging",
				triggeredBy: "lan",
				gitCommit: "abc",
				gitBranch: "main",
				config: {},
			});
		const first = await opened("1.2.0");
		await closeDeployment(client, first, { status: "completed" });
		const second = await opened("1.3.0");
		await closeDeployment(client, second, { status: "failed", error: "a stage failed" });
		const rollback = await startRollback(client, {
			deploymentId: second,
			type: "automatic",
			reason: "a stage failed",
			previousVersion: "1.3.0",
			targetVersion: "1.2.0",
		});
		await finishRollback(client, rollback, { steps: [] });
		const [newest, oldest, ...others] = await recordedReleases(client);
		assert.deepEqual(others, []);
		assert.deepEqual(
			{ ...newest, startedAt: null, endedAt: null },
			{
				deployment: second,
				release: "1.3.0",
				status: "failed",
				startedAt: null,
				endedAt: null,
				triggeredBy: "lan",
				commit: "abc",
				branch: "main",
				error: "a stage failed",
				rollbacks: [
					{ type: "automatic", reason: "a stage failed", status: "completed", from: "1.3.0", to: "1.2.0" },
				],
			},
		);
		const { rows } = await client.query(
			"SELECT started_at, completed_at FROM deployment_pipelines WHERE id = $1",
			[first],
		);
		assert.equal(new Date(oldest?.startedAt ?? "").getTime(), rows[0].started_at.getTime());
		assert.equal(new Date(oldest?.endedAt ?? "").getTime(), rows[0].completed_at.getTime());
		assert.equal(liveAt([newest!, oldest!], new Date())?.release, "1.2.0");
	});
});
