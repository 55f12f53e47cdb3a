import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const DOCS = join(__dirname, "..", "..", "docs");

/** The names of the tests of each file, as its text has them. */
function testsOf(file: string): string[] {
	const text = readFileSync(join(__dirname, file), "utf8");
	return [...text.matchAll(/^\t+it\(\s*"((?:[^"\\]|\\.)+)"/gm)].map(([, name]) => name ?? "");
}

/** The first column of each table that comes after the name of a file of tests. */
function listed(document: string): Map<string, string[]> {
	const sections = document.split(/^## /m).slice(1);
	return new Map(
		sections.flatMap((section) => {
			const file = /^`test\/seed\/([\w-]+\.suite\.ts)`/m.exec(section)?.[1];
			const rows = [...section.matchAll(/^\| (.+?) \| .+ \|$/gm)].map(([, name]) => name ?? "");
			return file === undefined ? [] : [[file, rows.slice(2)]];
		}),
	);
}

describe("the table of requirements", () => {
	const document = readFileSync(join(DOCS, "requirements.md"), "utf8");

	it("names each test here once, and no other", () => {
		const files = readdirSync(__dirname).filter((file) => file.endsWith(".suite.ts"));
		const run = readFileSync(join(__dirname, "requirements.test.ts"), "utf8");
		assert.deepEqual(
			[...run.matchAll(/^import "\.\/(.+)";$/gm)].map(([, file]) => `${file}.ts`).sort(),
			files.sort(),
		);
		assert.deepEqual(
			Object.fromEntries(listed(document)),
			Object.fromEntries(files.map((file) => [file, testsOf(file)])),
		);
	});

	it("points to files that there are", () => {
		const links = [...document.matchAll(/\]\(([^)#]+)/g)].map(([, path]) => path ?? "");
		assert.deepEqual(
			links.filter((path) => !existsSync(join(DOCS, path))),
			[],
		);
	});
});
