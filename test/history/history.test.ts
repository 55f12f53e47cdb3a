import assert from "node:assert/strict";
import type { Client } from "pg";
import { closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { finishRollback, startRollback } from "../../components/catalog/rollbacks";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { connect } from "../../components/database/connection";
import { askedTime } from "../../components/history/asked-time";
import { historyText, liveText } from "../../components/history/history-text";
import { joinHistory } from "../../components/history/join";
import { liveAt } from "../../components/history/live-release";
import { type RecordedRelease, recordedReleases } from "../../components/history/recorded-release";
import { readHistory } from "../../components/history/stack-update";
import type { TrafficSpan } from "../../components/history/traffic-spans";
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
		traffic: [],
		...others,
	};
}

function span(of: number, release: string, since: string, until?: string): TrafficSpan {
	const at = (time: string) => `2026-03-01T${time}Z`;
	return {
		deployment: of,
		release,
		since: at(since),
		until: until === undefined ? null : at(until),
		toldBy: "switch",
	};
}

describe("a stack's history", () => {
	it("has each update with the deployment that began in its time", () => {
		const updates = readHistory(
			[past(20), past(12, { kind: "refresh" }), past(10, { result: "failed" }), past(0)],
			{ release: KEY, image: "app:serviceImage" },
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
		const updates = readHistory([past(20, underWay), past(0)], { release: KEY, image: "app:serviceImage" });
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
		const joined = joinHistory(
			readHistory([past(20), past(10)], { release: KEY, image: "app:serviceImage" }),
			[deployment(2, 15), deployment(1, 10)],
		);
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
		const entries = joinHistory(
			readHistory([past(10), past(0)], { release: KEY, image: "app:serviceImage" }),
			[
				deployment(2, 10, { release: "1.2.0", rollbacks: [back], traffic: [span(2, "1.2.0", "10:10:30")] }),
				deployment(1, 0),
			],
		);
		assert.deepEqual(
			historyText(entries)
				.split("\n")
				.map((line) => line.split(/ {2,}/)),
			[
				["BEGAN", "WHAT", "RELEASE", "OUTCOME", "TOOK", "LIVE FROM", "COMMIT", "BY"],
				[
					"2026-03-01 10:10:02Z",
					"update",
					"1.2.0",
					"completed; manual rollback 1.3.0 → 1.2.0: release 1.2.0 was put back",
					"46.8 s",
					"2026-03-01 10:10:30Z",
					"01234567",
					"lan",
				],
				["2026-03-01 10:00:02Z", "update", "1.3.0", "completed", "46.8 s", "01234567", "lan"],
			],
		);
		assert.equal(historyText([]), "the stack has never been updated");
	});

	it("tells for how long a release had the traffic that did not stand its bake", () => {
		const traffic = [span(2, "1.4.0", "10:10:30", "10:10:40.5")];
		const failed = deployment(2, 10, { release: "1.4.0", status: "rolled_back", traffic });
		assert.match(
			historyText([{ recorded: failed }]),
			/ rolled back after 10\.5 s with the traffic +46\.8 s /,
		);
	});

	it("knows which release was live at a time", () => {
		const recorded = [
			deployment(3, 30, {
				release: "1.4.0",
				status: "rolled_back",
				traffic: [span(3, "1.4.0", "10:30:10", "10:30:20")],
			}),
			deployment(2, 20, {
				traffic: [span(2, "1.3.0", "10:20:10.25", "10:30:10"), span(2, "1.3.0", "10:30:20")],
			}),
		];
		const told = (time: string) => {
			const at = new Date(`2026-03-01T${time}Z`);
			return liveText(at, liveAt(recorded, at));
		};
		assert.deepEqual(["10:20:10.249", "10:20:10.250", "10:30:10", "10:45:00"].map(told), [
			"no release was live at 2026-03-01 10:20:10Z",
			"release 1.3.0 was live at 2026-03-01 10:20:10Z, since 2026-03-01 10:20:10Z until 2026-03-01 10:30:10Z (deployment 2)",
			"release 1.4.0 was live at 2026-03-01 10:30:10Z, since 2026-03-01 10:30:10Z until 2026-03-01 10:30:20Z (deployment 3, rolled back)",
			"release 1.3.0 was live at 2026-03-01 10:45:00Z, since 2026-03-01 10:30:20Z (deployment 2)",
		]);
	});

	it("says so where it does not know the moment of a switch", () => {
		const toldBy = "unrecorded switch";
		const recorded = [
			deployment(2, 20, { release: "1.4.0", traffic: [{ ...span(2, "1.4.0", "10:20:49.25"), toldBy }] }),
			deployment(1, 0, { traffic: [{ ...span(1, "1.3.0", "10:00:49.25", "10:20:49.25"), toldBy }] }),
		];
		const told = (time: string) => {
			const at = new Date(`2026-03-01T${time}Z`);
			return liveText(at, liveAt(recorded, at)).split("\n").slice(1);
		};
		const since = "since is when that deployment ended: its switch was earlier, and is not in the audit log";
		assert.deepEqual(["10:10:00", "10:20:20", "10:20:50"].map(told), [
			[since],
			[since, "or release 1.4.0 already: deployment 2 was under way, and its switch is not in the audit log"],
			[since],
		]);
	});

	for (const [text, instant] of [
		["2026-01-31T08:00Z", "2026-01-31T08:00:00.000Z"],
		["2026-01-31T08:00+07:00", "2026-01-31T01:00:00.000Z"],
		["2026-01-31T08:00:30.5Z", "2026-01-31T08:00:30.500Z"],
	] as const) {
		it(`can be asked for ${text}`, () => {
			assert.equal(askedTime(text, new Date("2026-03-01T00:00Z")).toISOString(), instant);
		});
	}

	for (const text of [
		"5",
		"",
		"yesterday",
		"2026-02-31",
		"2026-02-31T08:00Z",
		"2026-01-31T08:00",
		"2026-01-31T24:01Z",
	]) {
		it(`cannot be asked for '${text}'`, () => {
			assert.throws(
				() => askedTime(text, new Date("2026-03-01T00:00Z")),
				/^Error: '.*' is not a time: give day, time and zone as ISO 8601 has them, such as 2026-01-31T08:00Z or /,
			);
		});
	}

	it("cannot be asked for what is still to come", () => {
		assert.throws(
			() => askedTime("2027-01-01T00:00Z", new Date("2026-03-01T00:00Z")),
			/^Error: 2027-01-01T00:00Z is still to come: give a time that has passed$/,
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
			{ ...newest, startedAt: null, endedAt: null, traffic: [] },
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
				traffic: [],
			},
		);
		const { rows } = await client.query(
			"SELECT started_at, completed_at FROM deployment_pipelines WHERE id = $1",
			[first],
		);
		assert.equal(new Date(oldest?.startedAt ?? "").getTime(), rows[0].started_at.getTime());
		assert.equal(new Date(oldest?.endedAt ?? "").getTime(), rows[0].completed_at.getTime());
		assert.deepEqual(
			[newest?.traffic, oldest?.traffic],
			[[], [{ deployment: first, release: "1.2.0", since: oldest?.endedAt, until: null, toldBy: "end" }]],
		);
	});
});
