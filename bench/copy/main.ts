import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { type Connection, withClient } from "../../components/database/connection";
import { ensureServer, removeServer, superuserConnection } from "../../components/database/local/server";
import { type Contender, findContenders } from "./contenders";
import { fill, SCHEMA } from "./corpus";
import { type Measured, writeReport } from "./report";

const ROUNDS = Number(process.env.ROUNDS ?? 3);
const WORKERS = Number(process.env.WORKERS ?? 4);
/** Of the full size, for a quick look. */
const SHARE = Number(process.env.SHARE ?? 1);
const REPORT = join(__dirname, "../../docs/benchmarks/copy.md");
const session = { applicationName: "bench", statementTimeoutMs: 1_200_000 };

async function main(): Promise<void> {
	const directory = mkdtempSync(join(tmpdir(), "copy-bench-"));
	chmodSync(directory, 0o755);
	const folders = ["first", "second"].map((name) => join(directory, name));
	try {
		const [first, second] = await Promise.all(folders.map(startServer));
		const report = await measure(first!, second!, directory);
		if (SHARE === 1) {
			mkdirSync(join(REPORT, ".."), { recursive: true });
			writeFileSync(REPORT, report);
		}
		console.log(report);
	} finally {
		for (const folder of folders) await removeServer(folder, 30);
		rmSync(directory, { recursive: true, force: true });
	}
}

async function startServer(directory: string): Promise<Connection> {
	mkdirSync(directory, { mode: 0o755 });
	const password = randomBytes(12).toString("hex");
	const { port } = await ensureServer({ directory, password, maxConnections: 50, timeoutSeconds: 60 });
	return superuserConnection(port, password);
}

async function measure(first: Connection, second: Connection, directory: string): Promise<string> {
	const source = { ...first, database: "source" };
	await inServer(first, "CREATE DATABASE source");
	const size = await withClient(source, session, async (client) => {
		await client.query(SCHEMA);
		await fill(client, SHARE);
		await client.query("CREATE PUBLICATION bench_1_to_2 FOR ALL TABLES");
		const { rows } = await client.query<{ bytes: string; rows: string }>(
			`SELECT sum(pg_table_size(oid)) AS bytes, sum(reltuples::bigint) AS rows
			FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
		);
		return rows[0]!;
	});
	const { contenders, absent } = await findContenders(WORKERS, directory);
	const load = loadavg()[0]!;
	const measured: Measured[] = [];
	for (const [topology, target] of [
		["Within one server", first],
		["Between two servers", second],
	] as const) {
		measured.push({ topology, seconds: await takeTurns(contenders, topology, source, target) });
	}
	return writeReport({
		measured,
		megabytes: Math.round(Number(size.bytes) / 1e6),
		rows: Number(size.rows),
		workers: WORKERS,
		rounds: ROUNDS,
		machine: `${cpus().length} cores, load average ${load.toFixed(1)} at the start, ${loadavg()[0]!.toFixed(1)} at the end`,
		...(absent !== undefined && { absent }),
	});
}

/** Alternates, so that none has the quieter machine. */
async function takeTurns(
	contenders: Contender[],
	topology: string,
	source: Connection,
	server: Connection,
): Promise<Map<string, number[]>> {
	const seconds = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
	for (let round = 0; round < ROUNDS; round++) {
		const first = round % contenders.length;
		for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
			const taken = await pass(contender, source, server);
			seconds.get(contender.name)!.push(taken);
			console.log(`${topology}, round ${round + 1} of ${ROUNDS}: ${contender.name} ${taken.toFixed(1)} s`);
		}
	}
	return seconds;
}

async function pass(contender: Contender, source: Connection, server: Connection): Promise<number> {
	const target = { ...server, database: "target" };
	await inServer(server, "CREATE DATABASE target");
	try {
		if (contender.needsSchema) {
			await withClient(target, session, (client) => client.query(SCHEMA));
		}
		await inServer(source, "CHECKPOINT");
		await inServer(server, "CHECKPOINT");
		const begun = performance.now();
		await contender.copy(source, target);
		return (performance.now() - begun) / 1000;
	} finally {
		await inServer(server, "DROP DATABASE target WITH (FORCE)");
		await inServer(source, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
	}
}

async function inServer(server: Connection, sql: string): Promise<void> {
	await withClient(server, session, (client) => client.query(sql));
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
