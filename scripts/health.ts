import { z } from "zod";
import { overallStatus } from "../components/health/check-result";
import {
	type DeployedRelease,
	deployedReleaseSchema,
	environmentHealth,
	healthText,
} from "../components/health/environment-health";
import { runPulumi } from "./engine";
import { reportOptions } from "./report-options";
import { run } from "./run";
import { openStack } from "./stack-access";

const USAGE = "usage: npm run health -- --stack <stack> [--json]";

async function main(args: string[]): Promise<number> {
	const options = reportOptions(args);
	if (options === undefined) {
		console.error(USAGE);
		return 2;
	}
	const { url, live, colors, environment } = await openStack(options.stack);
	const generations = Object.fromEntries(
		Object.entries(colors ?? {}).map(([color, { generation }]) => [color, generation]),
	);
	const releases = await deployedReleases(options.stack);
	const found = await environmentHealth({ url, ...(live && { live }), generations, releases });
	const status = overallStatus(found);
	const report = {
		stack: options.stack,
		environment,
		status,
		checkedAt: new Date().toISOString(),
		releases: found,
	};
	console.log(
		options.json ? JSON.stringify(report, null, 2) : `${healthText(found)}\n${options.stack}: ${status}`,
	);
	return status === "FAIL" ? 1 : 0;
}

/** What the state keeps of the releases' health resources; their secrets stay in memory. */
const exportSchema = z.object({
	deployment: z.object({
		resources: z
			.array(
				z.object({
					type: z.string(),
					delete: z.boolean().optional(),
					outputs: z.record(z.string(), z.unknown()).optional(),
				}),
			)
			.default([]),
	}),
});
const secretSchema = z.object({ plaintext: z.string() });

async function deployedReleases(stack: string): Promise<DeployedRelease[]> {
	let text = "";
	const code = await runPulumi(["stack", "export", "--show-secrets", "-s", stack], {
		capture: (piece) => {
			text += piece;
		},
	});
	if (code !== 0) {
		throw new Error(`the state of stack ${stack} cannot be read: see above`);
	}
	return exportSchema
		.parse(JSON.parse(text))
		.deployment.resources.filter(
			(resource) => /:(HealthGate|ColorHealth)$/.test(resource.type) && !resource.delete,
		)
		.map(({ outputs }) =>
			deployedReleaseSchema.parse({
				...outputs,
				subject: JSON.parse(secretSchema.parse(outputs?.subject).plaintext),
			}),
		);
}

// `npm run health -- --stack local`: how the live release and the idle one are today.
run(main);
