import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Migration } from "../../components/migrations/migration";
import { linkName } from "../../components/replication/node";
import { putInStep } from "../../components/replication/put-in-step";
import { testServer } from "../support/postgres";
import { assertConverged, rows } from "../traffic/crash/converged";
import { Pair } from "../traffic/crash/pair";
import { Traffic } from "../traffic/crash/traffic";

function migration(version: string, sql: string, unwritten: string[] = []): Migration {
	return {
		version,
		name: "change",
		type: "schema",
		dependsOn: [],
		up: { sql, transaction: true, line: 1 },
		irreversible: "a test does not undo it",
		checksum: createHash("sha256").update(sql).digest("hex"),
		path: `${version}_change.sql`,
		...(unwritten.length > 0 && { unwritten }),
	};
}

describe("a colour that is in step, when its release gets other migrations after a first attempt", () => {
	let pair: Pair;
	let traffic: Traffic;

	before(async () => {
		pair = await Pair.start(await testServer());
		traffic = new Traffic(pair);
	});

	beforeEach(async () => {
		await pair.addIdle();
		await traffic.during(() => putInStepWith());
	});

	afterEach(() => pair.dropIdle());

	after(() => pair.remove());

	function putInStepWith(...more: Migration[]): Promise<boolean> {
		const order = pair.copyOrder();
		return putInStep({ ...order, wanted: [...order.wanted, ...more], log: (line) => pair.told.push(line) });
	}

	async function published(column: string): Promise<boolean> {
		const [row] = await rows<{ published: boolean }>(
			pair.live.node.admin,
			"SELECT $2 = ANY (attnames) AS published FROM pg_publication_tables WHERE pubname = $1 AND tablename = 'accounts'",
			[linkName(pair.live.node, pair.idle!.node), column],
		);
		return row!.published;
	}

	it("is refused what its link could not follow, before any of it runs, and stays in step", async () => {
		const drop = migration("1.1.0", "ALTER TABLE accounts DROP COLUMN version");
		await traffic.during(() =>
			assert.rejects(putInStepWith(drop), {
				name: "PreflightError",
				message: /migration 1\.1\.0 change.*version.*accounts/,
			}),
		);
		await assertConverged(pair, traffic.ledger, "forward");
		assert.equal(await putInStepWith(migration("1.1.0", "CREATE TABLE zones (id int PRIMARY KEY)")), false);
	});

	it("is copied anew when they say otherwise what is no longer written, which its link has left out or not", async () => {
		const drop = migration("1.1.0", "ALTER TABLE accounts DROP COLUMN version", ["accounts.version"]);
		assert.equal(await published("version"), true);
		assert.equal(await traffic.during(() => putInStepWith(drop)), true);
		assert.equal(await published("version"), false);
		assert.equal(await putInStepWith(drop), false);

		assert.equal(await traffic.during(() => putInStepWith()), true);
		assert.equal(await published("version"), true);
		await assertConverged(pair, traffic.ledger, "forward");
	});

	it("loses its way back before they run, since what they change would be sent there", async () => {
		await traffic.during(async () => {
			await pair.move(pair.idle!);
			await pair.move(pair.idle!);
		});
		await assertConverged(pair, traffic.ledger, "both");
		assert.equal(await putInStepWith(), false);
		await assertConverged(pair, traffic.ledger, "both");
		const change = migration("1.1.0", "CREATE TABLE zones (id int PRIMARY KEY)");
		assert.equal(await traffic.during(() => putInStepWith(change)), false);
		await assertConverged(pair, traffic.ledger, "forward");
	});
});
