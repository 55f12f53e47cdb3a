import assert from "node:assert/strict";
import type { ReleaseFigures } from "../../bench/scale/release";
import { type Attempt, appliedPerSecond, writeReport } from "../../bench/scale/report";

const phase = (count: number, seconds: number) => ({ seconds, latencies: Array<number>(count).fill(2) });

const RELEASE: ReleaseFigures = {
	perSecond: 1000,
	copySeconds: 20,
	sourceLog: 30e6,
	targetLog: 1200e6,
	mostKept: 31e6,
	behindTransactions: 20_000,
	behindBytes: 29e6,
	catchUpSeconds: 4,
	before: phase(5000, 5),
	during: phase(20_000, 20),
	catchingUp: phase(4000, 4),
	inStep: phase(5000, 5),
	lagBytes: [0, 2000, 1000],
	ownPauses: [10, 30, 20],
	pauses: [11, 31, 21],
	fate: { acknowledged: 17_000, failures: [], lost: 0, doubled: 0, differing: 0 },
};

function reportOf(...attempts: Attempt[]): string[] {
	const size = { tableBytes: 1000e6, allBytes: 1400e6, rows: 9e6, diskSeconds: 5, attempts };
	return writeReport([size], "2 cores").split("\n");
}

describe("the report of how a release grows", () => {
	it("counts what came while the new colour caught up among what it applied", () => {
		assert.equal(appliedPerSecond(RELEASE), 6000);
	});

	it("derives nothing from a few waiting transactions", () => {
		assert.equal(appliedPerSecond({ ...RELEASE, behindTransactions: 1000 }), undefined);
	});

	it("gives each release a line in each table", () => {
		const lines = reportOf({ servers: 2, perSecond: 1000, figures: RELEASE });
		assert.deepEqual(
			lines.filter((line) => line.startsWith("| 1000 MB, two servers, 1000/s")),
			[
				"| 1000 MB, two servers, 1000/s | **20.0** | 50 | 4.0 | 30 | 1200 | 31 | 20000 | 29 | 4.0 | 6000 |",
				"| 1000 MB, two servers, 1000/s | 1000 | 2.0 (2.0) | 1000 | 2.0 (2.0) | 1000 | 2.0 (2.0) |",
				"| 1000 MB, two servers, 1000/s | 1, 2 | 10.0 / 20.0 / 30.0 | 11.0 / 21.0 / 31.0 | 17000 | 0 | 0 | 0 | 0 |",
			],
		);
	});

	it("says why no release came of an attempt", () => {
		const lines = reportOf({ servers: 1, perSecond: 0, failure: "the slot was lost" });
		assert.ok(lines.includes("- 1000 MB, one server, 0/s: the slot was lost"));
		assert.equal(lines.filter((line) => line.startsWith("| 1000 MB, one server")).length, 0);
	});
});
