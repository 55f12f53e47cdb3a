import type { z } from "zod";
import { largestPool } from "../service/pools";
import { awsDefaults } from "./aws";
import { environmentDefaults, everywhere } from "./environments";
import { type PlatformKey, type Problem, platformDefaults, platformProblems } from "./platforms";
import {
	allowedFor,
	type Config,
	type ConfigKey,
	configKeys,
	configSchema,
	secretConfigKeys,
} from "./schema";

/** The stack config, checked and completed. */
export type Settings = Required<Omit<Config, LeftOut>> & Pick<Config, LeftOut>;

/** Said only where it is meant. */
type Said = "releaseWithoutStaging" | "allowDestroy";

type LeftOut = PlatformKey | SecretKey | Said;
type SecretKey = (typeof secretConfigKeys)[number];

/** The settings that may be shown and recorded. */
export function withoutSecrets<T extends Partial<Settings>>(settings: T): Omit<T, SecretKey> {
	const { notifyUrl: _, notifySecret: __, ...others } = settings;
	return others;
}

/** The stack config as Pulumi hands it to a program. */
export interface StackConfig {
	/** The namespace of our keys. */
	project: string;
	/** Full key → text. Keys of other namespaces belong to others and are passed over. */
	values: Record<string, string>;
	/** Full keys whose values must not be shown. */
	secretKeys: readonly string[];
}

/** Every mistake in a stack config, so that one edit mends them all. */
export class SettingsError extends Error {
	override readonly name = "SettingsError";

	constructor(readonly problems: readonly string[]) {
		super(
			`the stack config has ${problems.length === 1 ? "a mistake" : `${problems.length} mistakes`}; nothing was changed:\n` +
				problems.map((problem) => `  - ${problem}`).join("\n"),
		);
	}
}

/**
 * Reads the settings from the stack config.
 *
 * @throws SettingsError with every mistake: its key, what was found and what is allowed
 */
export function parseSettings(stack: StackConfig): Settings {
	const prefix = `${stack.project}:`;
	const own = ownValues(stack);
	const parsed = configSchema.safeParse(own);
	const wrong = parsed.success ? [] : parsed.error.issues.flatMap((issue) => describe(issue, own, stack));
	const settings = parsed.success ? completed(parsed.data) : readable(own);
	const problems = [...contradictions(settings, Object.keys(own)), ...unprotected(stack, own)].map(
		([key, text]) => `${prefix}${key}: ${text}`,
	);
	if (!parsed.success || problems.length > 0) {
		throw new SettingsError([...wrong, ...problems]);
	}
	return completed(parsed.data);
}

/** What can be read of a stack config, whatever mistakes there are in the rest; for reports. */
export function readableSettings(stack: Omit<StackConfig, "secretKeys">): Partial<Settings> {
	return readable(ownValues(stack));
}

function ownValues({ project, values }: Omit<StackConfig, "secretKeys">): Record<string, string> {
	const prefix = `${project}:`;
	return Object.fromEntries(
		Object.entries(values)
			.filter(([key]) => key.startsWith(prefix))
			.map(([key, value]) => [key.slice(prefix.length), value]),
	);
}

function completed(config: Config): Settings {
	return {
		...everywhere,
		...environmentDefaults[config.environment],
		...platformDefaults[config.platform],
		...config,
	};
}

/** What can be read of a config with mistakes, so that its contradictions are told with them. */
function readable(own: Record<string, string>): Partial<Settings> {
	const entries = configKeys.flatMap((key) => {
		const field = configSchema.shape[key].safeParse(own[key]);
		return field.success && field.data !== undefined ? [[key, field.data]] : [];
	});
	const found: Partial<Config> = Object.fromEntries(entries);
	return {
		...everywhere,
		...(found.environment && environmentDefaults[found.environment]),
		...(found.platform && platformDefaults[found.platform]),
		...found,
	};
}

function describe(issue: z.core.$ZodIssue, own: Record<string, string>, stack: StackConfig): string[] {
	if (issue.code === "unrecognized_keys") {
		return issue.keys.map((key) => {
			const near = configKeys.find(
				(known) => known.toLowerCase() === key.toLowerCase().replaceAll(/[-_]/g, ""),
			);
			return `${stack.project}:${key}: unknown key; ${near ? `did you mean ${near}?` : `allowed: ${configKeys.join(", ")}`}`;
		});
	}
	const key = String(issue.path[0]) as ConfigKey;
	const full = `${stack.project}:${key}`;
	const where = issue.code === "custom" ? issue.params?.where : undefined;
	if (where !== undefined) {
		const isSecret = stack.secretKeys.includes(full);
		return [
			`${full}${where}: ${isSecret ? issue.message.replace(/^found .*; allowed/, "found a secret; allowed") : issue.message}`,
		];
	}
	const found =
		own[key] === undefined
			? "nothing"
			: stack.secretKeys.includes(full) || isSecret(key)
				? "a secret"
				: JSON.stringify(own[key]);
	return [`${full}: found ${found}; allowed: ${allowedFor(key) ?? issue.message}`];
}

/** Combinations that can only be a mistake. */
function contradictions(settings: Partial<Settings>, given: readonly string[]): Problem[] {
	const problems: Problem[] = [];
	const { poolSize, maxConnections, databasePort, gatewayPort } = settings;
	const tasks = settings.platform === "aws" ? (settings.serviceTasks ?? awsDefaults.serviceTasks) : 1;
	const largest = maxConnections === undefined ? undefined : largestPool(maxConnections, tasks);
	if (poolSize !== undefined && largest !== undefined && poolSize > largest) {
		problems.push([
			"poolSize",
			`found ${poolSize} with maxConnections ${maxConnections}; allowed: at most ${largest}, since during an ` +
				`update two services run side by side, each${tasks === 1 ? "" : ` of ${tasks} tasks, and each of them`} with two ` +
				"connections more: for its health, and to hear of a switch",
		]);
	}
	if (settings.debugMode && settings.environment === "production") {
		problems.push([
			"debugMode",
			"found true with environment production; allowed: false, since replies would show internals",
		]);
	}
	problems.push(...swappedLimits(settings));
	if (settings.alerting && settings.monitoring === false) {
		problems.push([
			"alerting",
			"found true with monitoring false; allowed: false, since alerts come from monitoring",
		]);
	}
	if (settings.notifySecret !== undefined && settings.notifyUrl === undefined) {
		problems.push(["notifySecret", "found a secret without notifyUrl; allowed: only with notifyUrl"]);
	}
	if (databasePort !== undefined && databasePort === gatewayPort) {
		problems.push(["gatewayPort", `found ${gatewayPort}, which is also databasePort; allowed: another port`]);
	}
	problems.push(...platformProblems(settings, given));
	return problems;
}

/** Values in the stack file that anybody who has it can read. */
function unprotected({ project, secretKeys }: StackConfig, own: Record<string, string>): Problem[] {
	return secretConfigKeys
		.filter((key) => own[key] !== undefined && !secretKeys.includes(`${project}:${key}`))
		.map((key) => [
			key,
			`found a plain text; allowed: a secret, as npm run pulumi -- config set --secret ${key} sets it`,
		]);
}

function isSecret(key: ConfigKey): boolean {
	return secretConfigKeys.some((secret) => secret === key);
}

/** A limit from which on a check fails, below the one from which on it warns. */
function swappedLimits(settings: Partial<Settings>): Problem[] {
	const pairs = [
		["slowStatementMilliseconds", "slowStatementFailMilliseconds"],
		["lagWarningSeconds", "lagFailSeconds"],
		["connectionsWarningPercent", "connectionsFailPercent"],
	] as const;
	return pairs.flatMap(([warning, fail]): Problem[] => {
		const [lower, upper] = [settings[warning], settings[fail]];
		return lower !== undefined && upper !== undefined && upper < lower
			? [
					[
						fail,
						`found ${upper} with ${warning} ${lower}; allowed: at least that, since a warning comes first`,
					],
				]
			: [];
	});
}
