/** Runs a command's `main` with the arguments that it was given, and ends with the exit code that it returns, or 1. */
export function run(main: (args: string[]) => Promise<number>): void {
	main(process.argv.slice(2)).then(
		(code) => {
			process.exitCode = code;
		},
		(error: unknown) => {
			console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
			process.exitCode = 1;
		},
	);
}
