import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Connection } from "../../components/database/connection";
import { copyData } from "../../components/replication/copy";
import type { Node } from "../../components/replication/node";

/** The version of the servers, and so of the programs that can copy them. */
const MAJOR_VERSION = 18;
const SLOT = "bench_1_to_2";

export interface Contender {
	name: string;
	/** Whether the tables are there already. Ours copies into them, pg_restore makes them. */
	needsSchema: boolean;
	/** Copies everything from one database to another, once. */
	copy(source: Connection, target: Connection): Promise<void>;
}

/** @param directory for the files of pg_dump */
export async function findContenders(
	workers: number,
	directory: string,
): Promise<{ contenders: Contender[]; absent?: string }> {
	const ours = (verification: "counts" | "checksums"): Contender => ({
		name: verification === "counts" ? OURS : OURS_WITH_CHECKSUMS,
		needsSchema: true,
		copy: async (source, target) => {
			await copyData({
				source: node(source, 1),
				target: node(target, 2),
				slot: SLOT,
				workers,
				verification,
				timeoutMs: 1_800_000,
				slotTimeoutMs: 60_000,
				log: () => {},
			});
		},
	});
	const contenders = [ours("counts"), ours("checksums")];
	const folder = process.env.PG_DUMP_BIN;
	const program = (name: string) => (folder === undefined ? name : join(folder, name));
	const version = await run(program("pg_dump"), ["--version"], {}).catch(() => "");
	if (!version.includes(` ${MAJOR_VERSION}.`)) {
		const found = version === "" ? "it is not there" : `it is ${version.trim()}`;
		return {
			contenders,
			absent: `pg_dump ${MAJOR_VERSION} was not measured: ${found}; put it on PATH, or its folder into PG_DUMP_BIN`,
		};
	}
	contenders.push({
		name: PEER,
		needsSchema: false,
		copy: async (source, target) => {
			const files = join(directory, "dump");
			const jobs = ["--format=directory", `--jobs=${workers}`];
			try {
				await run(
					program("pg_dump"),
					[...jobs, "--compress=none", "--no-sync", `--file=${files}`],
					environment(source),
				);
				await run(
					program("pg_restore"),
					[...jobs, `--dbname=${target.database}`, files],
					environment(target),
				);
			} finally {
				rmSync(files, { recursive: true, force: true });
			}
		},
	});
	return { contenders };
}

export const OURS = "ours, rows counted";
export const OURS_WITH_CHECKSUMS = "ours, rows compared by checksums";
export const PEER = "pg_dump, then pg_restore";

function node(connection: Connection, generation: number): Node {
	return {
		base: "bench",
		color: generation === 1 ? "blue" : "green",
		generation,
		admin: connection,
		owner: connection.user,
		replication: connection,
	};
}

/** With the settings that ours has as well. */
function environment({ host, port, user, password, database }: Connection): Record<string, string> {
	return {
		PGHOST: host,
		PGPORT: String(port),
		PGUSER: user,
		PGPASSWORD: password,
		PGDATABASE: database,
		PGOPTIONS: "-c synchronous_commit=off -c maintenance_work_mem=256MB",
	};
}

async function run(program: string, args: string[], environment: Record<string, string>): Promise<string> {
	const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: "pipe" });
	const ended = new Promise<number | null>((resolve, reject) => {
		child.once("error", reject);
		child.once("exit", resolve);
	});
	child.stdin.end();
	const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
	if (code !== 0) throw new Error(`${program} ended with ${code}: ${errors || output}`);
	return output;
}
