import { runPulumi } from "./engine";

// `npm run pulumi -- <verb>`: the Pulumi CLI where there is one, the embedded engine where there is none.
runPulumi(process.argv.slice(2)).then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
		process.exitCode = 1;
	},
);
