import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { type Connection, clientConfig, withClient } from "../../components/database/connection";
import { removeServer } from "../../components/database/local/server";
import { catchUp, type LinkEnds, withLink } from "../../components/replication/link-state";
import { linkName, withNode } from "../../components/replication/node";
import { installFence, openFence } from "../../components/traffic/write-fence";
import { cleaningUp } from "./cleaning-up";
import {
	type ColorDatabase,
	type ColorDatabases,
	follow,
	makeColor,
	migrateColor,
	startServers,
} from "./databases";
import { median, quantile } from "./statistics";

const SESSION = { applicationName: "bench" };
const CATCH_UP = { maxLagBytes: 0, timeoutMs: 60_000 };
const STATEMENTS = 4000;
const WRITERS = 8;
const WRITE_MS = 2000;

/** What the application's statements are run under, from nothing to all that a live colour has. */
export const SETUPS = [
	"no fence",
	"fence",
	"fence, followed on the same server",
	"fence, followed on another server",
] as const;
export type Setup = (typeof SETUPS)[number];

export interface Throughput {
	perSecond: number;
	medianMs: number;
	p99Ms: number;
}

export interface FenceCost {
	/** Microseconds of one statement on the server: without the fence and with it, one pair for each round. */
	statement: { plain: number; fenced: number }[];
	/** One entry for each round. */
	throughput: Map<Setup, Throughput[]>;
	load: number;
}

interface Arena {
	color: ColorDatabase;
	follower?: ColorDatabase;
}

/** What the fence and a link cost the live side, in turns so that none has the quieter machine. */
export async function measureFenceCost(rounds: number, tell: (line: string) => void): Promise<FenceCost> {
	const directory = mkdtempSync(join(tmpdir(), "fence-bench-"));
	chmodSync(directory, 0o755);
	const cleanUp = async () => {
		await removeServer(directory, 30);
		rmSync(directory, { recursive: true, force: true });
	};
	return cleaningUp(async () => {
		const databases = await startServers(directory, 2);
		const arenas = await makeArenas(databases);
		const cost: FenceCost = {
			statement: [],
			throughput: new Map(SETUPS.map((setup) => [setup, []])),
			load: loadavg()[0]!,
		};
		for (let round = 0; round <= rounds; round++) {
			const plain = await statementCost(arenas.get("no fence")!.color.application);
			const fenced = await statementCost(arenas.get("fence")!.color.application);
			const order = SETUPS.map((_, index) => SETUPS[(index + round) % SETUPS.length]!);
			const measured = new Map<Setup, Throughput>();
			for (const setup of order) {
				measured.set(setup, await measureArena(arenas.get(setup)!));
			}
			// The first round only warms up.
			if (round > 0) {
				cost.statement.push({ plain, fenced });
				for (const [setup, throughput] of measured) {
					cost.throughput.get(setup)!.push(throughput);
				}
			}
			tell(
				`round ${round}: a statement ${plain.toFixed(0)} and ${fenced.toFixed(0)} µs; ` +
					`writes a second ${SETUPS.map((setup) => measured.get(setup)!.perSecond.toFixed(0)).join(", ")}`,
			);
		}
		return cost;
	}, cleanUp);
}

async function makeArenas(databases: ColorDatabases): Promise<Map<Setup, Arena>> {
	const arenas = new Map<Setup, Arena>();
	for (const setup of SETUPS) {
		const color = await makeColor(databases, "blue");
		await migrateColor(databases, color);
		if (setup !== "no fence") {
			await withNode(color.node, "bench", async (client) => {
				await installFence(client, color.node.owner, 30_000);
				await openFence(client, 1);
			});
		}
		const where = setup.endsWith("same server")
			? "blue"
			: setup.endsWith("another server")
				? "green"
				: undefined;
		if (where === undefined) {
			arenas.set(setup, { color });
			continue;
		}
		const follower = await makeColor(databases, where);
		await follow(databases, color, follower);
		await withLink(color.node, follower.node, (ends) => pauseLink(ends));
		arenas.set(setup, { color, follower });
	}
	return arenas;
}

/** Microseconds of an INSERT and its commit within the server, without waiting for the disk. */
async function statementCost(application: Connection): Promise<number> {
	return withClient(application, { ...SESSION, statementTimeoutMs: 120_000 }, async (client) => {
		await client.query("SET synchronous_commit = off");
		const { rows } = await client.query<{ began: string }>("SELECT clock_timestamp()::text AS began");
		await client.query(`DO $$ BEGIN
			FOR number IN 1..${STATEMENTS} LOOP
				INSERT INTO counting_results (camera_id, count_type, count_value) VALUES (1, 'bench', number);
				COMMIT;
			END LOOP; END $$`);
		const { rows: ended } = await client.query<{ ms: number }>(
			"SELECT (extract(epoch FROM clock_timestamp() - $1::timestamptz) * 1000)::float8 AS ms",
			[rows[0]!.began],
		);
		return (ended[0]!.ms * 1000) / STATEMENTS;
	});
}

async function measureArena({ color, follower }: Arena): Promise<Throughput> {
	if (follower === undefined) {
		return write(color.application);
	}
	return withLink(color.node, follower.node, async (ends) => {
		await resumeLink(ends);
		try {
			return await write(color.application);
		} finally {
			await pauseLink(ends);
		}
	});
}

/** A link that is not measured must not read along what the others write. */
async function pauseLink({ from, to }: LinkEnds): Promise<void> {
	await to.client.query(`ALTER SUBSCRIPTION ${linkName(from.node, to.node)} DISABLE`);
}

async function resumeLink(ends: LinkEnds): Promise<void> {
	await ends.to.client.query(`ALTER SUBSCRIPTION ${linkName(ends.from.node, ends.to.node)} ENABLE`);
	await catchUp(ends, CATCH_UP, () => {});
}

/** The service's own statement from several sessions, one after the other in each. */
async function write(application: Connection): Promise<Throughput> {
	const pool = new Pool({ ...clientConfig(application, SESSION), max: WRITERS });
	const latencies: number[] = [];
	const insert = {
		name: "insert",
		text: `INSERT INTO counting_results (camera_id, count_type, count_value) VALUES ($1, $2, $3) RETURNING id`,
		values: [1, "bench", 1],
	};
	try {
		const clients = await Promise.all(Array.from({ length: WRITERS }, () => pool.connect()));
		const started = performance.now();
		await Promise.all(
			clients.map(async (client) => {
				for (let began = performance.now(); began < started + WRITE_MS; ) {
					await client.query(insert);
					const ended = performance.now();
					latencies.push(ended - began);
					began = ended;
				}
				client.release();
			}),
		);
		return {
			perSecond: (latencies.length * 1000) / (performance.now() - started),
			medianMs: median(latencies),
			p99Ms: quantile(latencies, 0.99),
		};
	} finally {
		await pool.end();
	}
}
