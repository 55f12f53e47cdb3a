import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { TestProject } from "../support/project";

describe("a fresh clone, which has stack files and no stack", () => {
	let project: TestProject;

	before(() => {
		project = new TestProject("embedded");
	});

	after(() => project.remove());

	const stacks = async () => {
		const { stdout } = await project.must("stack", "ls", "--json");
		return JSON.parse(stdout).map(({ name }: { name: string }) => name);
	};

	it("sets a setting before anything else, and has the stack by it", async () => {
		await project.must("config", "set", "release", "1.2.0", "-s", "dev");
		assert.match(readFileSync(project.stackFile, "utf8"), /camera-counting:release: 1\.2\.0/);
		assert.deepEqual(await stacks(), ["dev"]);
	});

	it("makes none by reading settings, or of a name that has no file", async () => {
		const { code, output } = await project.pulumi("config", "get", "release", "-s", "staging");
		assert.equal(code, 6, output);
		const unnamed = await project.pulumi("config", "set", "release", "1.2.0", "-s", "stagign");
		assert.match(unnamed.output, /no stack named 'stagign' found/);
		assert.deepEqual(await stacks(), ["dev"]);
	});
});
