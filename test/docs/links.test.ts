import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { documentation } from "./documented";

/** A heading's anchor, as GitHub makes it. */
function anchorOf(heading: string): string {
	return heading
		.replaceAll(/`|\[([^\]]*)\]\([^)]*\)/g, "$1")
		.trim()
		.toLowerCase()
		.replaceAll(/[^\p{L}\p{N} _-]/gu, "")
		.replaceAll(" ", "-");
}

function anchorsOf(file: string): string[] {
	const text = readFileSync(file, "utf8").replaceAll(/^```[\s\S]*?^```/gm, "");
	return [...text.matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) => anchorOf(heading ?? ""));
}

describe("the links of the documentation", () => {
	it("lead to files and headings that are there", () => {
		const broken = documentation().flatMap((file) => {
			const text = readFileSync(file, "utf8").replaceAll(/^```[\s\S]*?^```/gm, "");
			return [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
				const [path = "", anchor] = target.split("#");
				const found = path === "" ? file : normalize(join(dirname(file), path));
				const isThere =
					existsSync(found) &&
					(anchor === undefined || (statSync(found).isFile() && anchorsOf(found).includes(anchor)));
				return isThere ? [] : [`${file}: ${target}`];
			});
		});
		assert.deepEqual(broken, []);
	});
});
