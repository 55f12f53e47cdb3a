/** Runs the engine by itself: `node --require tsx/cjs engine/main.ts up --yes`. */
import { main } from "./cli";

const { stdout, stderr, stdin, env, argv } = process;
main(argv.slice(2), { cwd: process.cwd(), env, stdout, stderr, stdin }).then(
	(code) => {
		process.exitCode = code;
	},
	(error) => {
		stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
		process.exitCode = 1;
	},
);
