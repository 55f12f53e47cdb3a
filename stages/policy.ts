import { z } from "zod";

const policySettings = z.object({
	platform: z.string(),
	strategy: z.string(),
	sslMode: z.string(),
	backupSchedule: z.string(),
	debugMode: z.boolean(),
	logLevel: z.string(),
	monitoring: z.boolean(),
	alerting: z.boolean(),
	bakeSeconds: z.number(),
	copyVerification: z.string(),
});

type PolicySettings = z.infer<typeof policySettings>;

/** What an environment's settings must be. */
interface Rule {
	key: keyof PolicySettings;
	holds(settings: PolicySettings): boolean;
	/** In the operator's words, with the reason. */
	demand: string;
}

const WATCHED: Rule[] = [
	{ key: "monitoring", holds: ({ monitoring }) => monitoring, demand: "true, so that a fault is seen" },
	{
		key: "debugMode",
		holds: ({ debugMode }) => !debugMode,
		demand: "false, since replies would show internals",
	},
];

const POLICY: Record<"development" | "staging" | "production", Rule[]> = {
	development: [
		{
			key: "backupSchedule",
			holds: ({ backupSchedule }) => backupSchedule !== "",
			demand: "any schedule, so that there is a backup",
		},
	],
	staging: [
		...WATCHED,
		{
			key: "backupSchedule",
			holds: ({ backupSchedule }) => backupSchedule !== "weekly",
			demand: "daily or hourly",
		},
	],
	production: [
		...WATCHED,
		{ key: "alerting", holds: ({ alerting }) => alerting, demand: "true, so that somebody hears of a fault" },
		{
			key: "sslMode",
			// On platform local nothing leaves the machine.
			holds: ({ sslMode, platform }) => sslMode !== "disable" || platform === "local",
			demand: "require or verify-full, since rows cross a network",
		},
		{
			key: "backupSchedule",
			holds: ({ backupSchedule }) => backupSchedule === "hourly",
			demand: "hourly, so that no more than an hour can be lost",
		},
		{
			key: "logLevel",
			holds: ({ logLevel }) => logLevel !== "debug",
			demand: "info, warn or error, since debug logs what clients send",
		},
		{
			key: "strategy",
			holds: ({ strategy }) => strategy === "blue-green",
			demand: "blue-green, so that there is something to go back to",
		},
		{
			key: "bakeSeconds",
			holds: ({ bakeSeconds }) => bakeSeconds > 0,
			demand: "more than 0, so that a new release is watched",
		},
		{
			key: "copyVerification",
			holds: ({ copyVerification }) => copyVerification === "checksums",
			demand: "checksums, so that a copy is proved and not only counted",
		},
	],
};

export interface PolicyFinding {
	name: string;
	/** Undefined when the rule is kept. */
	problem?: string;
}

/**
 * Compares an environment's settings with what is demanded of it.
 *
 * @throws ZodError when a setting is missing that the policy speaks of
 */
export function policyFindings(
	environment: keyof typeof POLICY,
	settings: Record<string, unknown>,
): PolicyFinding[] {
	const known = policySettings.parse(settings);
	return POLICY[environment].map(({ key, holds, demand }) => {
		const name = `${key} of a ${environment} environment: ${JSON.stringify(known[key])}`;
		return holds(known)
			? { name }
			: { name, problem: `demanded: ${demand}; set ${key} in the stack file, or change the policy` };
	});
}
