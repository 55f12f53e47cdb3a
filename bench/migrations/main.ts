import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { escapeIdentifier } from "pg";
import { type Connection, withClient } from "../../components/database/connection";
import { ensureServer, removeServer, superuserConnection } from "../../components/database/local/server";
import { type Contender, findContenders, type Pass } from "./contenders";
import { type Corpus, writeCorpus } from "./corpus";
import { type Measured, OURS_WITH_FILES, writeReport } from "./report";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const NOOP_ROUNDS = ROUNDS + 2;
const REPORT = join(__dirname, "../../docs/benchmarks/migrations.md");

async function main(): Promise<void> {
	const directory = mkdtempSync(join(tmpdir(), "migrations-bench-"));
	const password = randomBytes(12).toString("hex");
	try {
		const { port } = await ensureServer({ directory, password, maxConnections: 50, timeoutSeconds: 60 });
		const report = await measure(superuserConnection(port, password), directory);
		mkdirSync(join(REPORT, ".."), { recursive: true });
		writeFileSync(REPORT, report);
		console.log(report);
	} finally {
		await removeServer(directory, 30);
		rmSync(directory, { recursive: true, force: true });
	}
}

async function measure(server: Connection, directory: string): Promise<string> {
	const contenders = await findContenders();
	const present = contenders.filter(({ absent }) => absent === undefined);
	const thousand = writeCorpus(join(directory, "1000"), 1000);
	const tenThousand = writeCorpus(join(directory, "10000"), 10_000);
	const load = loadavg()[0]!;

	const apply = await rounds(ROUNDS, present, async (contender) => {
		const databases = await makeDatabases(server);
		const pass = await contender.pass(thousand, databases.target, databases.catalog);
		await dropDatabases(server, databases);
		return pass;
	});
	const remembering = present.filter(({ remembers }) => remembers);
	const noopThousand = await measureNoop(server, remembering, thousand);
	const noopTenThousand = await measureNoop(server, remembering, tenThousand);
	return writeReport({
		contenders,
		apply,
		noopThousand,
		noopTenThousand,
		rounds: ROUNDS,
		noopRounds: NOOP_ROUNDS,
		machine: `${cpus().length} cores, load average ${load.toFixed(1)} at the start, ${loadavg()[0]!.toFixed(1)} at the end`,
	});
}

async function measureNoop(server: Connection, contenders: Contender[], corpus: Corpus): Promise<Measured> {
	const databases = new Map<Contender, Databases>();
	for (const contender of contenders) {
		const made = await makeDatabases(server);
		databases.set(contender, made);
		const { workMs } = await contender.pass(corpus, made.target, made.catalog);
		console.log(`${contender.name}: ${corpus.count} applied in ${Math.round(workMs)} ms`);
	}
	const measured = await rounds(NOOP_ROUNDS, contenders, (contender) => {
		const { target, catalog } = databases.get(contender)!;
		return contender.pass(corpus, target, catalog);
	});
	for (const made of databases.values()) await dropDatabases(server, made);
	return measured;
}

/** Alternates between the contenders, so that none has the quieter machine. */
async function rounds(
	count: number,
	contenders: Contender[],
	pass: (contender: Contender) => Promise<Pass>,
): Promise<Measured> {
	const measured: Measured = new Map();
	const note = (name: string, ms: number) => measured.set(name, [...(measured.get(name) ?? []), ms]);
	for (let round = 0; round < count; round++) {
		const first = round % contenders.length;
		for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
			const { workMs, loadMs } = await pass(contender);
			note(contender.name, workMs);
			if (loadMs !== undefined) note(OURS_WITH_FILES, loadMs + workMs);
			console.log(`round ${round + 1} of ${count}: ${contender.name} ${Math.round(workMs)} ms`);
		}
	}
	return measured;
}

interface Databases {
	target: Connection;
	catalog: Connection;
}

async function makeDatabases(server: Connection): Promise<Databases> {
	const suffix = randomBytes(4).toString("hex");
	const databases = {
		target: { ...server, database: `target_${suffix}` },
		catalog: { ...server, database: `catalog_${suffix}` },
	};
	await administer(server, [databases.target, databases.catalog], "CREATE DATABASE");
	return databases;
}

async function dropDatabases(server: Connection, { target, catalog }: Databases): Promise<void> {
	await administer(server, [target, catalog], "DROP DATABASE");
}

async function administer(server: Connection, databases: Connection[], command: string): Promise<void> {
	const session = { applicationName: "bench", statementTimeoutMs: 120_000 };
	await withClient(server, session, async (client) => {
		for (const { database } of databases) await client.query(`${command} ${escapeIdentifier(database)}`);
		await client.query("CHECKPOINT");
	});
}

main();
