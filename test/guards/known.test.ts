import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { lt } from "semver";
import { z } from "zod";
import { newestCatalogVersion } from "../../components/catalog/upgrade";
import { programVersion } from "../../components/guards/program-version";
import { LAST_UPDATE_OUTPUTS } from "../../components/release/last-update";

const FILE = "test/guards/known.json";
const knownSchema = z.object({ version: z.string(), makes: z.array(z.string()) });

/** What a program makes and an older one may not know: types of resources, outputs that it reads, the catalog's schema. */
function makes(): string[] {
	const sources = readdirSync("components", { recursive: true, encoding: "utf8" })
		.filter((file) => file.endsWith(".ts"))
		.map((file) => readFileSync(`components/${file}`, "utf8"));
	const found = (pattern: RegExp) =>
		sources.flatMap((text) => [...text.matchAll(pattern)].map(([, what]) => what!));
	return [
		...new Set([
			...found(/"(camera-counting:[a-z]+:[A-Za-z]+)"/g),
			...found(/lateProvider\("(components\/[\w/.-]+)"\)/g),
			...found(/new ((?:aws|docker|postgresql)\.[\w.]+)\(/g),
			...LAST_UPDATE_OUTPUTS.map((output) => `output ${output}`),
			`catalog ${newestCatalogVersion()}`,
		]),
	].sort();
}

describe("the version of the program", () => {
	it("is another one when it makes what the one before does not know, so that the older is refused", () => {
		const known = knownSchema.parse(JSON.parse(readFileSync(FILE, "utf8")));
		const own = { version: programVersion(), makes: makes() };
		const isRaised = lt(known.version, own.version);
		if (process.env.GOLDEN === "write" && isRaised) {
			writeFileSync(FILE, `${JSON.stringify(own, null, "\t")}\n`);
			return;
		}
		assert.deepEqual(
			own.makes,
			known.makes,
			`raise the version in package.json above ${known.version}, and write ${FILE} anew with GOLDEN=write`,
		);
		assert.equal(own.version, known.version);
	});
});
