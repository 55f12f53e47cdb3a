import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { withClient } from "../../components/database/connection";
import { removeServer } from "../../components/database/local/server";
import { withNode } from "../../components/replication/node";
import { installFence, openFence } from "../../components/traffic/write-fence";
import { fill, MORE_TABLES } from "../copy/corpus";
import { cleaningUp } from "../cutover/cleaning-up";
import {
	type ColorDatabase,
	type ColorDatabases,
	makeColor,
	migrateColor,
	startServers,
} from "../cutover/databases";
import { measureRelease, type Release } from "./release";
import { type Attempt, describeServers, describeSize, type SizeFigures, writeReport } from "./report";

/** Of the corpus's full size of about a gigabyte, and the transactions each second that it is copied under. */
const PLAN = [
	{ share: 0.11, rates: [0, 100, 1000] },
	{ share: 1, rates: [0, 100, 1000] },
	{ share: 11, rates: [0, 1000] },
];
/** The largest share, for a quick look. */
const LARGEST = Number(process.env.LARGEST ?? 11);
const REPORT = join(__dirname, "../../docs/benchmarks/scale.md");
const FILL_TIMEOUT_MS = 1_800_000;
const FENCE_TIMEOUT_MS = 60_000;
const BLOCK_BYTES = 8 << 20;

async function main(): Promise<void> {
	const load = loadavg()[0]!;
	const sizes: SizeFigures[] = [];
	for (const { share, rates } of PLAN.filter(({ share }) => share <= LARGEST)) {
		sizes.push(await measureSize(share, rates));
	}
	const cores = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB of memory`;
	const loads = `load average ${load.toFixed(1)} at the start, ${loadavg()[0]!.toFixed(1)} at the end`;
	const report = writeReport(sizes, `${cores}, ${loads}`);
	if (sizes.length === PLAN.length) {
		mkdirSync(join(REPORT, ".."), { recursive: true });
		writeFileSync(REPORT, report);
	}
	console.log(report);
	if (!sizes.every(({ attempts }) => attempts.every(isClean))) {
		process.exitCode = 1;
	}
}

/** Whether nothing that was acknowledged is missing. */
function isClean({ figures }: Attempt): boolean {
	if (figures === undefined) return true;
	const { failures, lost, doubled, differing } = figures.fate;
	return failures.length + lost + doubled + differing === 0;
}

/** Fills a database, and copies it to another server at each rate, then within its own server at the highest one. */
async function measureSize(share: number, rates: readonly number[]): Promise<SizeFigures> {
	const directory = mkdtempSync(join(tmpdir(), "scale-bench-"));
	const cleanUp = async () => {
		await removeServer(directory, 60);
		rmSync(directory, { recursive: true, force: true });
	};
	return cleaningUp(async () => {
		const apart = await startServers(directory, 2);
		const { live, ...size } = await makeLive(apart, share);
		const diskSeconds = await writeToDisk(join(directory, "floor"), size.tableBytes);
		console.log(`${describeSize(size.tableBytes)}: the disk takes ${diskSeconds.toFixed(1)} s`);
		const attempts: Attempt[] = [];
		for (const perSecond of rates) {
			attempts.push(await attempt(2, { databases: apart, live, perSecond, ...size }));
		}
		const { blue } = apart.servers;
		const within = { ...apart, servers: { ...apart.servers, green: blue } };
		attempts.push(await attempt(1, { databases: within, live, perSecond: rates.at(-1)!, ...size }));
		return { ...size, diskSeconds, attempts };
	}, cleanUp);
}

type Live = Pick<SizeFigures, "tableBytes" | "allBytes" | "rows"> & { live: ColorDatabase; lastId: number };

/** The live colour, filled and open to the application. */
async function makeLive(databases: ColorDatabases, share: number): Promise<Live> {
	addTables(databases);
	const live = await makeColor(databases, "blue");
	await migrateColor(databases, live);
	const session = { applicationName: "bench", statementTimeoutMs: FILL_TIMEOUT_MS };
	const size = await withClient(live.node.admin, session, async (client) => {
		// Without foreign keys' checks: the rows are as they should be.
		await client.query("SET session_replication_role = replica");
		console.log(`filling a database with ${share} of the corpus`);
		await fill(client, share);
		console.log("filled");
		// Rows of commits that were not yet on the disk would be marked as committed only when they are copied.
		await client.query("CHECKPOINT");
		await client.query("VACUUM");
		const { rows } = await client.query<Omit<Live, "live">>(
			`SELECT sum(pg_table_size(oid))::float8 AS "tableBytes", sum(pg_total_relation_size(oid))::float8 AS "allBytes",
				sum(reltuples)::float8 AS rows, (SELECT max(id) FROM counting_results) AS "lastId"
			FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
		);
		return rows[0]!;
	});
	await withNode(live.node, "bench", async (client) => {
		await installFence(client, live.node.owner, FENCE_TIMEOUT_MS);
		await openFence(client, 1);
	});
	return { live, ...size };
}

/** What no release came of, because the slot kept too much for instance, is a result as well. */
async function attempt(servers: 1 | 2, release: Release & Pick<Live, "tableBytes">): Promise<Attempt> {
	const { perSecond, tableBytes } = release;
	const tell = (line: string) =>
		console.log(`${describeSize(tableBytes)}, ${describeServers(servers)}, ${perSecond}/s: ${line}`);
	try {
		return { servers, perSecond, figures: await measureRelease(release, tell) };
	} catch (error) {
		const failure = (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ");
		tell(failure);
		return { servers, perSecond, failure };
	}
}

function addTables({ migrationsDirectory }: ColorDatabases): void {
	const undo = "DROP TABLE temperatures;\nDROP TABLE detections;";
	writeFileSync(
		join(migrationsDirectory, "1.3.2_add_more_tables.sql"),
		`-- Tables of the corpus that the service has not.\n-- type: schema\n-- depends: create_initial_schema\n
-- migrate:up\n${MORE_TABLES};\n\n-- migrate:down\n${undo}\n`,
	);
}

/** The floor: seconds that as many bytes take to be on the disk, in one file that is written from its beginning to its end. */
async function writeToDisk(file: string, bytes: number): Promise<number> {
	const block = randomBytes(BLOCK_BYTES);
	const begun = performance.now();
	const handle = await open(file, "w");
	try {
		for (let left = bytes; left > 0; left -= BLOCK_BYTES) {
			await handle.write(block, 0, Math.min(left, BLOCK_BYTES));
		}
		await handle.sync();
		return (performance.now() - begun) / 1000;
	} finally {
		await handle.close();
		await rm(file);
	}
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
