import { descriptions } from "./descriptions";
import { dockerDefaults } from "./docker";
import { environmentDefaults, environmentNames } from "./environments";
import { keysOf } from "./platforms";
import { allowedFor, type ConfigKey, configKeys, configSchema } from "./schema";

/** The content of `docs/settings.md`: every setting as the schema has it. */
export function settingsReference(): string {
	return [
		"# Settings",
		"",
		"Every key of a stack file, `camera-counting:<key>`. `npm run pulumi -- config set <key> <value> -s <stack>` sets one. Mistakes are told all at",
		"once before anything is changed. This page is made by `npm run docs:settings`.",
		"",
		"| key | what for | allowed | left out |",
		"| --- | --- | --- | --- |",
		...configKeys.map(
			(key) => `| ${[`\`${key}\``, descriptions[key], allowed(key), leftOut(key)].join(" | ")} |`,
		),
		"",
	].join("\n");
}

function allowed(key: ConfigKey): string {
	const platforms = Object.entries(keysOf).find(([name]) => name === key)?.[1];
	return `${escaped(allowedFor(key) ?? "see there")}${platforms ? `; only on ${platforms.join(" or ")}` : ""}`;
}

function leftOut(key: ConfigKey): string {
	const parsed = configSchema.shape[key].safeParse(undefined);
	if (parsed.success && parsed.data !== undefined) {
		return shown(parsed.data);
	}
	const own = environmentNames.flatMap((environment): [string, unknown][] => {
		const found = Object.entries(environmentDefaults[environment]).find(([name]) => name === key);
		return found === undefined ? [] : [[environment, found[1]]];
	});
	if (own.length === 0) {
		const onDocker = Object.entries(dockerDefaults).find(([name]) => name === key)?.[1];
		return onDocker === undefined ? (parsed.success ? "" : "required") : `docker ${shown(onDocker)}`;
	}
	const values = new Set(own.map(([, value]) => shown(value)));
	return values.size === 1
		? [...values].join()
		: own.map(([environment, value]) => `${environment} ${shown(value)}`).join("; ");
}

function shown(value: unknown): string {
	if (Array.isArray(value)) {
		return value.length === 0 ? "none" : value.map((each) => `\`${each.name ?? each}\``).join(", ");
	}
	return `\`${escaped(String(value))}\``;
}

function escaped(text: string): string {
	return text.replaceAll("|", "\\|");
}
