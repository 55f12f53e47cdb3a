import assert from "node:assert/strict";
import { type DiskSpace, diskFindings, keptLogFindings } from "../../components/replication/disk-space";
import { describeFindings } from "../../components/replication/finding";
import { capacityFindings, type ServerCapacity } from "../../components/replication/server-capacity";

const AMPLE: ServerCapacity = {
	walLevel: "logical",
	replicationSlots: { most: 10, used: 2 },
	walSenders: { most: 10, used: 2 },
	logicalWorkers: { most: 4, used: 1 },
	replicationOrigins: { most: 10, used: 2 },
	workerProcesses: 8,
	keptWalBytes: null,
};

function capacity(changed: Partial<ServerCapacity>, sends: number, receives: number): string {
	return describeFindings(
		capacityFindings({
			name: "the idle colour's server",
			capacity: { ...AMPLE, ...changed },
			sends,
			receives,
		}),
	);
}

describe("what a server has for replication", () => {
	it("is enough where each link finds what it needs", () => {
		assert.equal(capacity({}, 1, 1), "");
		assert.equal(capacity({}, 8, 3), "");
		assert.equal(capacity({ replicationSlots: { most: 2, used: 2 } }, 0, 1), "");
	});

	it("is told with everything that is short at once, and by how much", () => {
		assert.equal(
			capacity(
				{
					walLevel: "replica",
					replicationSlots: { most: 2, used: 2 },
					walSenders: { most: 0, used: 0 },
					logicalWorkers: { most: 4, used: 3 },
					replicationOrigins: { most: 10, used: 12 },
					workerProcesses: 4,
				},
				1,
				2,
			),
			[
				"error: wal_level of the idle colour's server is replica; set wal_level = logical there and restart the server",
				"error: the idle colour's server has 0 of its 2 replication slots free, but 1 will be needed; " +
					"raise max_replication_slots to at least 3 there and restart the server",
				"error: the idle colour's server has 0 of its 0 WAL senders free, but 1 will be needed; " +
					"raise max_wal_senders to at least 1 there and restart the server",
				"error: the idle colour's server has 1 of its 4 logical replication workers free, but 2 will be needed; " +
					"raise max_logical_replication_workers to at least 5 there and restart the server",
				"error: the idle colour's server has 0 of its 10 replication origins free, but 2 will be needed; " +
					"raise max_active_replication_origins to at least 14 there and restart the server",
				"warning: max_worker_processes (4) of the idle colour's server leaves other processes no room beside the 4 of " +
					"max_logical_replication_workers; raise it to at least 5 there and restart the server",
			].join("\n"),
		);
	});

	it("must be a log that can be decoded, even where nothing new begins", () => {
		assert.equal(
			capacityFindings({ name: "x", capacity: { ...AMPLE, walLevel: "minimal" }, sends: 0, receives: 0 })
				.length,
			1,
		);
	});
});

describe("the room on the disks", () => {
	function room(free: DiskSpace["free"], sameServer = false): string {
		return describeFindings(diskFindings({ databaseBytes: 10e9, free, sameServer }));
	}

	it("is not judged where it is not known", () => {
		assert.equal(room({}), "");
	});

	it("must hold the copy", () => {
		assert.equal(room({ target: 11e9 }), "");
		assert.equal(
			room({ target: 999e6 }),
			"error: the live database takes 10.0 GB, but the idle colour's server has only 999.0 MB free for its copy; " +
				"make room, or give the server a larger disk",
		);
	});

	it("should hold what the live colour's server keeps during the copy", () => {
		assert.equal(room({ source: 3e9, target: 11e9 }), "");
		assert.equal(
			room({ source: 2e9, target: 11e9 }),
			"warning: the live database takes 10.0 GB, and the live colour's server has 2.0 GB free, on which all that is written " +
				"during the copy has to find room; make room, or give the server a larger disk",
		);
		assert.equal(room({ source: 28e9, target: 28e9 }, true), "");
		assert.match(
			room({ source: 12e9, target: 12e9 }, true),
			/^warning: .* 12\.0 GB free, on which the copy and all that/,
		);
	});
});

describe("the log that a server keeps for a copy", () => {
	function kept(databaseBytes: number, keptWalBytes: number | null, sameServer = true): string {
		return describeFindings(keptLogFindings({ databaseBytes, keptWalBytes, sameServer }));
	}

	it("must be that of the whole copy where both colours are on one server", () => {
		assert.equal(kept(10e9, 16 * 2 ** 30), "");
		assert.equal(
			kept(15e9, 16 * 2 ** 30),
			"error: the live database takes 15.0 GB, so that its copy writes some 25.5 GB of log, of which the server of both colours " +
				"keeps 17.2 GB: the copy would be lost before its end; set keptWalGigabytes to 24 or more, or give each colour a " +
				"server (serverPerColor)",
		);
	});

	it("is no matter where it keeps everything, or where the copy is on another server", () => {
		assert.equal(kept(15e9, null), "");
		assert.equal(kept(15e9, 2 ** 30, false), "");
	});
});
