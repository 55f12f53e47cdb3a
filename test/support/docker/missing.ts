import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { cliMissing } from "../engines";
import { engineObstacle } from "./engine";
import { missingPrograms } from "./images";

/** Why whole updates on platform `docker` are not run here; undefined when they are. */
export const dockerMissing: string | undefined =
	cliMissing ?? engineObstacle() ?? programsMissing() ?? pluginMissing();

function programsMissing(): string | undefined {
	const missing = missingPrograms();
	return missing.length > 0
		? `images are made of installed programs, of which ${missing.join(", ")} is not there`
		: undefined;
}

function pluginMissing(): string | undefined {
	const { version } = z
		.object({ version: z.string() })
		.parse(JSON.parse(readFileSync(resolve("node_modules/@pulumi/docker/package.json"), "utf8")));
	const plugins = z
		.array(z.object({ name: z.string(), version: z.string().optional() }))
		.parse(JSON.parse(execFileSync("pulumi", ["plugin", "ls", "--json"], { encoding: "utf8" })));
	return plugins.some((plugin) => plugin.name === "docker" && plugin.version === version)
		? undefined
		: `the CLI has no plugin docker ${version}`;
}
