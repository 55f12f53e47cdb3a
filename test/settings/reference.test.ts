import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { settingsReference } from "../../components/settings/reference";

describe("the reference of settings", () => {
	it("is as the schema has them: npm run docs:settings writes it anew", () => {
		const file = join(__dirname, "..", "..", "docs", "settings.md");
		assert.equal(readFileSync(file, "utf8"), settingsReference());
	});
});
