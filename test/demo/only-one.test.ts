import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onlyOne } from "../../demo/only-one";

describe("the one demo of a folder", () => {
	let directory: string;
	let file: string;

	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "counting-only-one-"));
		file = join(directory, ".local", "demo.pid");
	});

	afterEach(() => rmSync(directory, { recursive: true }));

	it("refuses another one beside it, and lets the next one in when it has ended", async () => {
		const second = await onlyOne(file, "mocha", () =>
			onlyOne(file, "mocha", async () => "ran").catch((error: Error) => error.message),
		);
		assert.equal(second, `one runs here already, as process ${process.pid}: wait for its end, or end it`);
		assert.equal(existsSync(file), false);
		assert.equal(await onlyOne(file, "mocha", async () => "ran"), "ran");
	});

	it("takes the place of one that was killed, or of another program that has its number now", async () => {
		for (const left of ["999999999", "", String(process.ppid)]) {
			await onlyOne(file, "mocha", async () => undefined);
			writeFileSync(file, left);
			assert.equal(await onlyOne(file, "no program has this", async () => "ran"), "ran");
		}
	});
});
