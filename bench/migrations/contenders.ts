import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import type { Connection } from "../../components/database/connection";
import type { Corpus } from "./corpus";
import { OURS } from "./report";

/** How long one pass took, in milliseconds. */
export interface Pass {
	/** Without the start of node, for those that run in node. */
	workMs: number;
	/** Reading and checking the migration files before that; only ours tells it apart. */
	loadMs?: number;
}

export interface Contender {
	name: string;
	/** Why it does not take part, if it does not. */
	absent?: string;
	/** Whether it knows what it has applied, so that a second pass has nothing to do. */
	remembers: boolean;
	/** Brings the target up to date with the corpus, once. */
	pass(corpus: Corpus, target: Connection, catalog: Connection): Promise<Pass>;
}

const reportSchema = z.object({ applied: z.number(), workMs: z.number(), loadMs: z.number().optional() });

/** All contenders, those that are not installed with the reason. */
export async function findContenders(): Promise<Contender[]> {
	const installed = existsSync(join(__dirname, "node_modules"));
	const notInstalled = installed ? {} : { absent: "not installed: run npm ci in bench/migrations" };
	const noPsql = (await works("psql", ["--version"])) ? {} : { absent: "psql is not on PATH" };
	return [
		{
			name: OURS,
			remembers: true,
			pass: (corpus, target, catalog) =>
				inNode(["--require", "tsx/cjs", join(__dirname, "ours.ts")], {
					directory: corpus.ours,
					target,
					catalog,
				}),
		},
		{
			...notInstalled,
			name: "node-pg-migrate",
			remembers: true,
			pass: (corpus, target) =>
				inNode([join(__dirname, "node-pg-migrate.mjs")], { directory: corpus.nodePgMigrate, target }),
		},
		{
			...notInstalled,
			name: "dbmate",
			remembers: true,
			pass: ({ dbmate }, target) =>
				timed(
					join(__dirname, "node_modules/.bin/dbmate"),
					["--no-dump-schema", "--migrations-dir", dbmate, "migrate"],
					{
						DATABASE_URL: `postgres://${target.user}:${target.password}@${target.host}:${target.port}/${target.database}?sslmode=disable`,
					},
				),
		},
		{ ...noPsql, name: "psql -f", remembers: false, pass: (corpus, target) => psql(corpus, target, "") },
		{
			...noPsql,
			name: "psql -f, synchronous_commit off",
			remembers: false,
			pass: (corpus, target) => psql(corpus, target, "-c synchronous_commit=off"),
		},
	];
}

function psql({ script }: Corpus, target: Connection, options: string): Promise<Pass> {
	return timed("psql", ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", script], {
		PGHOST: target.host,
		PGPORT: String(target.port),
		PGDATABASE: target.database,
		PGUSER: target.user,
		PGPASSWORD: target.password,
		PGOPTIONS: options,
	});
}

async function inNode(args: string[], input: unknown): Promise<Pass> {
	const output = await run(process.execPath, args, {}, JSON.stringify(input));
	return reportSchema.parse(JSON.parse(output));
}

async function timed(program: string, args: string[], environment: Record<string, string>): Promise<Pass> {
	const started = performance.now();
	await run(program, args, environment);
	return { workMs: performance.now() - started };
}

async function works(program: string, args: string[]): Promise<boolean> {
	return run(program, args, {}).then(
		() => true,
		() => false,
	);
}

async function run(
	program: string,
	args: string[],
	environment: Record<string, string>,
	input = "",
): Promise<string> {
	const child = spawn(program, args, {
		cwd: __dirname,
		env: { ...process.env, ...environment },
		stdio: "pipe",
	});
	const ended = new Promise<number | null>((resolve, reject) => {
		child.once("error", reject);
		child.once("exit", resolve);
	});
	child.stdin.end(input);
	const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
	if (code !== 0) throw new Error(`${program} ended with ${code}: ${errors || output}`);
	return output;
}
