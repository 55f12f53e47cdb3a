import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { loadMigrations } from "../../components/migrations/files";
import type { LastUpdate } from "../../components/release/last-update";
import { localNames } from "../../components/release/names";
import { parseSettings, type Settings } from "../../components/settings/settings";
import { deployBlueGreen } from "../../components/strategy/blue-green";

const project = "camera-counting";

/** The settings of a committed stack file, with some of its keys changed or left out. */
export function committedSettings(stack: string, changes: Record<string, string | undefined> = {}): Settings {
	const { config } = z
		.object({ config: z.record(z.string(), z.coerce.string()) })
		.parse(parse(readFileSync(`Pulumi.${stack}.yaml`, "utf8")));
	const own = Object.entries(changes).map(([key, value]) => [`${project}:${key}`, value] as const);
	const values = Object.entries({ ...config, ...Object.fromEntries(own) }).filter(
		(entry): entry is [string, string] => entry[1] !== undefined,
	);
	return parseSettings({ project, values: Object.fromEntries(values), secretKeys: [] });
}

/** Runs the program on a committed stack file, on a stack that has nothing yet or what its last update left. */
export function deployCommitted(
	stack: string,
	changes: Record<string, string | undefined> = {},
	last?: LastUpdate,
) {
	return deployBlueGreen({
		stack,
		settings: committedSettings(stack, changes),
		names: localNames(stack),
		migrations: loadMigrations("migrations"),
		reversible: [],
		requiredSchema: "1.4.0",
		last,
	});
}
