import { z } from "zod";
import { runPulumi } from "./engine";

const STACK = "dev";

async function main(): Promise<number> {
	const updated = await runPulumi(["up", "--yes", "--skip-preview", "-s", STACK]);
	if (updated === 0) {
		if (await wasNothingToDo()) {
			console.log("\nThere was nothing to do: everything is as the stack file wants it, and running.");
		}
		await printNextSteps();
	}
	return updated;
}

const historySchema = z.array(z.object({ resourceChanges: z.record(z.string(), z.number()).optional() }));

async function wasNothingToDo(): Promise<boolean> {
	const [last] = historySchema.parse(JSON.parse(await capture(["stack", "history", "--json", "-s", STACK])));
	return Object.keys(last?.resourceChanges ?? {}).every((change) => change === "same" || change === "read");
}

const outputsSchema = z.object({
	url: z.string(),
	release: z.string(),
	databaseHost: z.string(),
	databasePort: z.number(),
	databaseName: z.string(),
	databaseUser: z.string(),
});

async function printNextSteps(): Promise<void> {
	const outputs = outputsSchema.parse(JSON.parse(await capture(["stack", "output", "--json", "-s", STACK])));
	const { url, release, databaseHost, databasePort, databaseName, databaseUser } = outputs;
	const password = `$(npm run -s pulumi -- stack output databasePassword --show-secrets -s ${STACK})`;
	console.log(`
The camera counting system, release ${release}, serves at ${url}
  curl ${url}/version
  curl -X POST ${url}/cameras -H 'content-type: application/json' -d '{"cameraName":"North gate"}'
Its database:
  PGPASSWORD="${password}" psql -h ${databaseHost} -p ${databasePort} -U ${databaseUser} ${databaseName}
Next:
  npm run pulumi -- config set release 1.2.0 -s ${STACK}   # put the release back …
  npm run pulumi -- up -s ${STACK}                         # … and watch what that undoes
  npm run pulumi -- stack history -s ${STACK}
  npm run pulumi -- destroy -s ${STACK}`);
}

async function capture(args: string[]): Promise<string> {
	let text = "";
	const code = await runPulumi(args, {
		capture: (piece) => {
			text += piece;
		},
	});
	if (code !== 0) {
		throw new Error(`\`pulumi ${args.join(" ")}\` ended with ${code}`);
	}
	return text;
}

// `npm run dev`: deploys the dev environment at the release in its stack file and says where it is.
main().then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
		process.exitCode = 1;
	},
);
