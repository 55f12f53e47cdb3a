import assert from "node:assert/strict";
import { planInPlace } from "../../components/release/in-place";
import { localNames } from "../../components/release/names";

describe("the plan of an in-place release", () => {
	it("migrates first when there was no release", () => {
		assert.equal(planInPlace([], "1.3.0"), "migrate-first");
	});
	it("migrates first when the release is raised or the same", () => {
		assert.equal(planInPlace(["1.2.0"], "1.3.0"), "migrate-first");
		assert.equal(planInPlace(["1.3.0"], "1.3.0"), "migrate-first");
		assert.equal(planInPlace(["1.9.0"], "1.10.0"), "migrate-first");
	});
	it("moves the service first when an interrupted update left a newer release serving", () => {
		assert.equal(planInPlace(["1.1.0", "1.3.0"], "1.1.0"), "serve-first");
	});
	it("moves the service first when the release is put back", () => {
		assert.equal(planInPlace(["1.3.0"], "1.2.0"), "serve-first");
		assert.equal(planInPlace(["1.10.0"], "1.9.0"), "serve-first");
	});
});

describe("a stack's names", () => {
	it("are made of the stack's name", () => {
		assert.deepEqual(localNames("dev"), {
			directory: ".local/dev",
			serviceDirectory: ".local/dev/service",
			routerFile: ".local/dev/gateway/state.json",
			backupDirectory: ".local/dev/backups",
			database: "counting_dev",
			base: "counting_dev",
			catalog: "counting_dev_catalog",
			queue: "counting_dev_queue",
		});
	});
	it("are identifiers whatever the stack is called, with room for suffixes", () => {
		assert.equal(localNames("Feature-42.x").database, "counting_feature_42_x");
		assert.ok(localNames("x".repeat(100)).database.length <= 48);
	});
});
