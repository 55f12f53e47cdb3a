import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** What the service's image is built of, by its Dockerfile. */
function copied(): string[] {
	const lines = readFileSync("service/Dockerfile", "utf8").split("\n");
	return lines.flatMap((line) => {
		const found = /^COPY (?!--from)(.+) \S+$/.exec(line);
		return found?.[1]?.split(" ") ?? [];
	});
}

/** What an engine is given to build it of. */
function given(): string[] {
	return readFileSync("service/Dockerfile.dockerignore", "utf8")
		.split("\n")
		.flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
}

describe("the service's image", () => {
	it("is built of files that an engine is given", () => {
		assert.notDeepEqual(copied(), []);
		assert.deepEqual(
			copied().filter((path) => !given().includes(path)),
			[],
		);
	});
});
