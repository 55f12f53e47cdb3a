import { awsDefaults } from "./aws";
import { descriptions } from "./descriptions";
import { dockerDefaults } from "./docker";
import { environmentDefaults, environmentNames, everywhere } from "./environments";
import { keysOf, platformDefaults } from "./platforms";
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
	const platforms = keysOf[key];
	return `${escaped(allowedFor(key) ?? "see there")}${platforms ? `; only on ${platforms.join(" or ")}` : ""}`;
}

function leftOut(key: ConfigKey): string {
	const parsed = configSchema.shape[key].safeParse(undefined);
	if (parsed.success && parsed.data !== undefined) {
		return shown(parsed.data);
	}
	const own = environmentNames.flatMap((environment) =>
		valueIn(environmentDefaults[environment], key).map((value) => [environment, value] as const),
	);
	const values = new Set(own.map(([, value]) => shown(value)));
	const byEnvironment =
		values.size === 1 ? [...values] : own.map(([environment, value]) => `${environment} ${shown(value)}`);
	const anywhere = valueIn(everywhere, key).map(shown);
	const byPlatform = Object.entries({
		docker: dockerDefaults,
		aws: { ...awsDefaults, ...platformDefaults.aws },
	}).flatMap(([platform, defaults]) => valueIn(defaults, key).map((value) => `${platform} ${shown(value)}`));
	const found = [...anywhere, ...byEnvironment, ...byPlatform];
	return found.length === 0 && !parsed.success ? "required" : found.join("; ");
}

function valueIn(defaults: object, key: ConfigKey): unknown[] {
	return Object.entries(defaults).flatMap(([name, value]) => (name === key ? [value] : []));
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
