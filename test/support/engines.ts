import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chooseEngine } from "../../scripts/engine";
import type { EngineName } from "./project";

/** Why whole updates are not run under the Pulumi CLI here; undefined when they are. */
export const cliMissing: string | undefined = findObstacle();

/** Declares a suite once per engine, so that it says which engine it ran on, and why not on the other. */
export function onEachEngine(title: string, suite: (engine: EngineName) => void): void {
	describe(`${title}, on the embedded engine`, () => suite("embedded"));
	onCli(`${title}, on the Pulumi CLI`, () => suite("cli"));
}

/** Declares a suite that needs the Pulumi CLI; skipped with the reason where there is none. */
export function onCli(title: string, suite: () => void): void {
	if (cliMissing === undefined) {
		describe(title, suite);
	} else {
		describe.skip(`${title} (skipped: ${cliMissing})`, suite);
	}
}

function findObstacle(): string | undefined {
	const engine = chooseEngine({ PATH: process.env.PATH });
	if (engine.kind !== "cli") {
		return "there is no `pulumi` on PATH";
	}
	const version = pluginVersion();
	const plugins = JSON.parse(
		execFileSync(engine.program, ["plugin", "ls", "--json"], { encoding: "utf8" }),
	) as {
		name: string;
		version?: string;
	}[];
	return plugins.some((plugin) => plugin.name === "postgresql" && plugin.version === version)
		? undefined
		: `the CLI has no plugin postgresql ${version}`;
}

function pluginVersion(): string {
	const file = join(__dirname, "..", "..", "node_modules", "@pulumi", "postgresql", "package.json");
	return JSON.parse(readFileSync(file, "utf8")).version;
}
