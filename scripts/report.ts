import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { withClient } from "../components/database/connection";
import { loadMigrations } from "../components/migrations/files";
import { wantedFor } from "../components/migrations/order";
import { MigrationFilesError } from "../components/migrations/problems";
import { runningIn } from "../components/migrations/seed-data";
import { verifyMigrations } from "../components/migrations/statements";
import { type LastUpdate, lastUpdateOf } from "../components/release/last-update";
import { stackAccess } from "../components/release/stack-access";
import { baseOf } from "../components/report/git-base";
import { releaseReport } from "../components/report/report";
import type { Known, ReportInputs } from "../components/report/report-inputs";
import { reportedGuards } from "../components/report/reported-guards";
import { readStackFile, type StackFile } from "../components/report/stack-file";
import { readableSettings } from "../components/settings/settings";
import { policyFindings } from "../stages/policy";
import { runPulumi } from "./engine";
import { projectDirectory, projectName } from "./project";
import { settingsOf } from "./report-settings";
import { run } from "./run";
import { stackOptions } from "./stack-options";

const USAGE = "usage: npm run report -- --stack <stack> [--base <git ref>] [--out <file>]";

async function main(args: string[]): Promise<number> {
	const options = readOptions(args);
	if (options === undefined) {
		console.error(USAGE);
		return 2;
	}
	const { stack, base, out } = options;
	const file = stackFileOf(stack);
	if (file === undefined) {
		console.error(`there is no Pulumi.${stack}.yaml here: give the name of a stack that has one`);
		return 2;
	}
	const { text, refusals } = await releaseReport(
		await inputsOf(stack, file, base),
		({ environment, ...settings }) => policyFindings(environment, settings),
	);
	// Into a file as well as here: the log of a workflow has what a comment has no room for.
	console.log(text);
	if (out !== undefined) {
		writeFileSync(out, text);
	}
	return refusals.length === 0 ? 0 : 1;
}

function readOptions(args: string[]): { stack: string; base?: string; out?: string } | undefined {
	const asked = stackOptions(args, { base: { type: "string" }, out: { type: "string" } });
	const { base, out } = asked?.values ?? {};
	return (
		asked && {
			stack: asked.stack,
			...(base !== undefined && { base }),
			...(out !== undefined && { out }),
		}
	);
}

function stackFileOf(stack: string): StackFile | undefined {
	try {
		return readStackFile(readFileSync(join(projectDirectory, `Pulumi.${stack}.yaml`), "utf8"));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") {
			return undefined;
		}
		throw error;
	}
}

async function inputsOf(stack: string, file: StackFile, ref: string | undefined): Promise<ReportInputs> {
	const { migrationsDirectory = "migrations" } = readableSettings({
		project: projectName,
		values: file.values,
	});
	const settings = settingsOf(projectName, file);
	const migrations = await migrationsOf(migrationsDirectory);
	const outputs = await outputsOf(stack, "with secrets");
	const last = lastOf(outputs);
	return {
		stack,
		file,
		settings,
		migrations,
		base: await baseOf({
			directory: projectDirectory,
			stack,
			migrationsDirectory,
			...(ref !== undefined && { ref }),
		}),
		isBaseNamed: ref !== undefined,
		last,
		databaseBytes: await databaseBytes(stack, outputs),
		guards:
			"read" in settings && "read" in migrations
				? await reportedGuards(
						{
							settings: settings.read,
							migrations: runningIn(
								settings.read.environment,
								wantedFor(settings.read.release, migrations.read),
							),
						},
						last,
						{ completedBy },
					)
				: { faults: [], exceptions: [], unknown: [] },
	};
}

async function migrationsOf(directory: string): Promise<ReportInputs["migrations"]> {
	try {
		const read = loadMigrations(join(projectDirectory, directory));
		await verifyMigrations(read);
		return { read };
	} catch (error) {
		if (error instanceof MigrationFilesError) {
			return {
				mistakes: error.problems.map(({ path, line, what, mend }) => `${path}:${line}: ${what}; ${mend}`),
			};
		}
		throw error;
	}
}

const outputsSchema = z.record(z.string(), z.unknown());

/** What a stack left; with its secrets, for which its passphrase is needed, it stays in memory. */
async function outputsOf(
	stack: string,
	secrets: "with secrets" | "without",
): Promise<Known<Record<string, unknown>>> {
	let said = "";
	const show = secrets === "with secrets" ? ["--show-secrets"] : [];
	const code = await runPulumi(["stack", "output", "--json", ...show, "-s", stack], {
		capture: (piece) => {
			said += piece;
		},
	});
	return code === 0
		? { known: outputsSchema.parse(JSON.parse(said)) }
		: { unknown: `the state of stack ${stack} cannot be read from here` };
}

function lastOf(outputs: Known<Record<string, unknown>>): Known<LastUpdate | undefined> {
	return "unknown" in outputs ? outputs : { known: lastUpdateOf(outputs.known) };
}

async function databaseBytes(stack: string, outputs: Known<Record<string, unknown>>): Promise<Known<number>> {
	if ("unknown" in outputs) {
		return outputs;
	}
	if (outputs.known.release === undefined) {
		return { unknown: "nothing is deployed, so that there is nothing to copy" };
	}
	try {
		const { live, servers, colors } = stackAccess(stack, outputs.known);
		const server = live && servers[live];
		const database = live && colors?.[live]?.database;
		if (server === undefined || database === undefined) {
			return { unknown: "the stack has no colour yet" };
		}
		const { rows } = await withClient(server, { applicationName: "deployment-report" }, (client) =>
			client.query<{ bytes: number }>("SELECT pg_database_size($1)::float8 AS bytes", [database]),
		);
		return { known: rows[0]?.bytes ?? 0 };
	} catch (error) {
		return { unknown: error instanceof Error ? error.message : String(error) };
	}
}

/** What another stack has completed; undefined before its first update. */
async function completedBy(stack: string): Promise<string[] | undefined> {
	const outputs = await outputsOf(stack, "without");
	if ("unknown" in outputs) {
		throw new Error(outputs.unknown);
	}
	return z.array(z.string()).optional().parse(outputs.known.completed);
}

// `npm run report -- --stack staging`: what a release will do there, as Markdown; 1 when it would be refused.
run(main);
