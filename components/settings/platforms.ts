import { awsProblems } from "./aws";
import { awsFields } from "./aws-fields";
import type { Config, ConfigKey } from "./schema";

/** A mistake in the stack config: its key, what was found and what is allowed. */
export type Problem = [key: ConfigKey, text: string];

type PlatformName = Config["platform"];

const elsewhere = {
	databasePort: ["local", "docker"],
	gatewayPort: ["local", "docker"],
	withoutSuperuser: ["local"],
	dockerHost: ["docker"],
	publicAddress: ["docker"],
	routerPort: ["docker"],
	databaseImage: ["docker"],
	routerImage: ["docker"],
	serviceImage: ["docker", "aws"],
} as const satisfies Partial<Record<ConfigKey, readonly PlatformName[]>>;

export type PlatformKey = keyof typeof elsewhere | keyof typeof awsFields;

/** Keys that mean something on some platforms only; what the stack file leaves out, the platform chooses. */
export const keysOf: Partial<Record<ConfigKey, readonly PlatformName[]>> = {
	...elsewhere,
	...Object.fromEntries(Object.keys(awsFields).map((key) => [key, ["aws"]])),
};

/** What a stack gets on a platform for each key that its stack file leaves out, whatever its environment has else. */
export const platformDefaults = {
	local: {},
	docker: {},
	aws: {
		sslMode: "verify-full",
		serverPerColor: true,
		maxConnections: 200,
		readyTimeoutSeconds: 300,
		bakeSeconds: 300,
	},
} as const satisfies Record<PlatformName, Partial<Config>>;

/**
 * What a platform does not have, or needs.
 *
 * @param settings what can be read of the config
 * @param given the keys that it has, those included whose values cannot be read
 */
export function platformProblems(settings: Partial<Config>, given: readonly string[]): Problem[] {
	const { platform } = settings;
	return platform === undefined
		? []
		: [
				...strangeKeys(settings, platform),
				...withoutEncryption(settings, platform),
				...(platform === "docker" ? onDocker(settings, given) : []),
				...(platform === "aws" ? awsProblems(settings, given) : []),
			];
}

function strangeKeys(settings: Partial<Config>, platform: PlatformName): Problem[] {
	return Object.entries(keysOf).flatMap(([key, platforms]): Problem[] => {
		const name = key as PlatformKey;
		return settings[name] === undefined || platforms.includes(platform)
			? []
			: [
					[
						name,
						`found ${settings[name]} with platform ${platform}; allowed: only with platform ${platforms.join(" or ")}`,
					],
				];
	});
}

/** Where servers are on loopback only, their traffic is not encrypted. */
function withoutEncryption({ sslMode }: Partial<Config>, platform: PlatformName): Problem[] {
	const where = {
		local: "that server is on loopback only",
		docker: "its servers are on the host's loopback only",
	};
	return platform === "aws" || sslMode === undefined || sslMode === "disable"
		? []
		: [["sslMode", `found ${sslMode} with platform ${platform}; allowed: disable, since ${where[platform]}`]];
}

function onDocker(
	{ strategy, databasePort, routerPort, gatewayPort }: Partial<Config>,
	given: readonly string[],
): Problem[] {
	const problems: Problem[] = [];
	if (strategy === "in-place") {
		problems.push(["strategy", "found in-place with platform docker; allowed: blue-green"]);
	}
	if (!given.includes("serviceImage")) {
		problems.push([
			"serviceImage",
			"found nothing with platform docker; allowed: the service's image, such as counting-api:{release}, which service/Dockerfile makes",
		]);
	}
	if (routerPort !== undefined && [databasePort, gatewayPort].includes(routerPort)) {
		problems.push([
			"routerPort",
			`found ${routerPort}, which is databasePort or gatewayPort too; allowed: another port`,
		]);
	}
	return problems;
}
