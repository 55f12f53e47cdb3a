import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const PROGRAM = `
	const { cleaningUp } = require(${JSON.stringify(join(__dirname, "../../bench/cutover/cleaning-up.ts"))});
	const work = new Promise(() => setInterval(() => {}, 1000));
	cleaningUp(() => work, async () => console.log("cleaned up"));
	process.stderr.write("begun");
`;

describe("a benchmark", () => {
	for (const [signal, code] of [
		["SIGINT", 130],
		["SIGTERM", 143],
	] as const) {
		it(`cleans up after itself when it is ended by ${signal}`, async () => {
			const child = spawn(process.execPath, ["--require", "tsx/cjs", "-e", PROGRAM], { stdio: "pipe" });
			const output = text(child.stdout);
			const ended = once(child, "close");
			await once(child.stderr, "data");
			child.kill(signal);
			assert.deepEqual(await ended, [code, null]);
			assert.equal(await output, "cleaned up\n");
		});
	}
});
