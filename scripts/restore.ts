import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { connectionSchema } from "../components/database/connection";
import { restoreBackup } from "../components/migrations/restore";
import { runPulumi } from "./engine";
import { run } from "./run";
import { stackOf } from "./stack-environment";

const USAGE = "usage: npm run restore -- -s <stack> <file below .local/<stack>/backups>";
const TIMEOUT_MS = 3_600_000;

/** What the state keeps of the migrations: among it, how to reach the database as its owner. */
const exportSchema = z.object({
	deployment: z.object({
		resources: z.array(
			z.object({
				type: z.string(),
				urn: z.string(),
				delete: z.boolean().default(false),
				outputs: z.record(z.string(), z.unknown()).optional(),
			}),
		),
	}),
});
const secretSchema = z.object({ plaintext: z.string() });
const contextSchema = z.object({ target: connectionSchema });

async function main(args: string[]): Promise<number> {
	const stack = stackOf(args, process.env);
	const file = args.at(-1);
	if (stack === undefined || file === undefined || file === stack) {
		console.error(USAGE);
		return 2;
	}
	const path = resolve(process.env.INIT_CWD ?? process.cwd(), file);
	if (!existsSync(path)) {
		console.error(`there is no file ${path}\n${USAGE}`);
		return 2;
	}
	await restoreBackup(await ownerOf(stack), path, TIMEOUT_MS);
	console.log(`${file} is put back`);
	return 0;
}

async function ownerOf(stack: string) {
	let text = "";
	const code = await runPulumi(["stack", "export", "--show-secrets", "-s", stack], {
		capture: (piece) => {
			text += piece;
		},
	});
	if (code !== 0) {
		throw new Error(`the state of ${stack} cannot be read`);
	}
	const { resources } = exportSchema.parse(JSON.parse(text)).deployment;
	const sets = resources.filter((resource) => resource.type.endsWith(":MigrationSet") && !resource.delete);
	const migrations = sets.find(({ urn }) => urn.endsWith("::migrations"));
	if (migrations === undefined) {
		throw new Error(
			sets.length === 0
				? `${stack} has no database: deploy it first`
				: `${stack} is deployed blue-green, where going back destroys nothing: there is nothing to restore`,
		);
	}
	return contextSchema.parse(JSON.parse(secretSchema.parse(migrations.outputs?.context).plaintext)).target;
}

// `npm run restore -- -s dev <file>`: puts back the rows that an undo destroyed.
run(main);
