import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { type SceneEntry, Workbench } from "./workbench";

const thing = (
	name: string,
	inputs: SceneEntry["inputs"] = {},
	options?: SceneEntry["options"],
): SceneEntry => ({
	thing: name,
	inputs,
	options,
});

describe("the embedded engine's steps", () => {
	let bench: Workbench;

	beforeEach(async () => {
		bench = new Workbench();
		await bench.done("stack", "init", "dev");
	});

	afterEach(() => bench.remove());

	const apply = async (...resources: SceneEntry[]): Promise<string[]> => {
		bench.scene(resources);
		const result = await bench.up();
		assert.equal(result.code, 0, result.stdout + result.stderr);
		return bench.calls();
	};

	it("replace by creating first, updating dependents, and deleting the old one last", async () => {
		await apply(thing("base", { replaceMe: "1" }), thing("user", { of: { $of: "base.id" } }));
		assert.deepEqual(
			await apply(thing("base", { replaceMe: "2" }), thing("user", { of: { $of: "base.id" } })),
			["create base", "update user", "delete base id-base-1"],
		);
		assert.equal(bench.resource("base").id, "id-base-2");
	});

	it("replace by deleting first, dependents that cannot stay before that, and creating in order again", async () => {
		const scene = (version: string): SceneEntry[] => [
			thing("base", { replaceMe: version, dbr: true }),
			thing("must", { replaceFrom: { $of: "base.id" }, dbr: true }),
			thing("can", { from: { $of: "base.id" } }),
		];
		await apply(...scene("1"));
		const calls = await apply(...scene("2"));
		assert.deepEqual(calls.slice(0, 3), ["delete must id-must-", "delete base id-base-1", "create base"]);
		assert.deepEqual(calls.slice(3).sort(), ["create must", "update can"]);
	});

	it("go on with a replacement that was stopped after the old one was deleted", async () => {
		await apply(thing("base", { replaceMe: "1", dbr: true }));
		bench.scene([thing("base", { replaceMe: "2", dbr: true, fail: "create" })]);
		assert.equal((await bench.up()).code, 1);
		assert.deepEqual(bench.calls(), ["delete base id-base-1", "create base"]);
		assert.equal(bench.resource("base").pendingReplacement, true);
		assert.deepEqual(await apply(thing("base", { replaceMe: "2", dbr: true })), ["create base"]);
		assert.equal(bench.resource("base").pendingReplacement, undefined);
	});

	it("delete what an earlier replacement left to be deleted", async () => {
		await apply(thing("base", { replaceMe: "1", failDelete: true }));
		bench.scene([thing("base", { replaceMe: "2" })]);
		assert.equal((await bench.up()).code, 1);
		assert.deepEqual(
			bench
				.state()
				.resources.filter(({ urn }) => urn.endsWith("::base"))
				.map(({ id, delete: pending }) => [id, pending]),
			[
				["id-base-2", undefined],
				["id-base-1", true],
			],
		);
		bench.calls();
		assert.equal((await bench.up()).code, 1);
		assert.deepEqual(bench.calls(), ["delete base id-base-1"]);
	});

	it("delete in reverse order of dependencies, components after their children", async () => {
		await apply(
			thing("a"),
			thing("b", { from: { $of: "a.made" } }),
			{ component: "group" },
			thing("child", { from: { $of: "b.made" } }, { parent: "group" }),
			thing("after", {}, { dependsOn: ["group"] }),
		);
		bench.scene([]);
		const result = await bench.run("destroy", "--yes", "--skip-preview");
		assert.equal(result.code, 0);
		assert.deepEqual(
			bench.calls().map((call) => call.split(" ")[1]),
			["after", "child", "b", "a"],
		);
		assert.deepEqual(bench.state().resources, []);
	});

	it("protect, until protection is taken away", async () => {
		await apply(thing("precious", { replaceMe: "1" }, { protect: true }), thing("other"));
		bench.scene([thing("other")]);
		const refused = await bench.up();
		assert.equal(refused.code, 1);
		assert.match(refused.stdout, /precious" cannot be deleted\n\s+because it is protected/);
		bench.scene([thing("precious", { replaceMe: "2" }, { protect: true }), thing("other")]);
		assert.match((await bench.up()).stdout, /unable to replace resource ".*precious"/);
		assert.deepEqual(bench.calls(), []);
		assert.deepEqual(await apply(thing("precious", { replaceMe: "1" }), thing("other")), []);
		assert.deepEqual(await apply(thing("other")), ["delete precious id-precious-1"]);
	});

	it("leave alone what is to be retained or deleted with another", async () => {
		await apply(
			thing("host"),
			thing("guest", {}, { deletedWith: "host" }),
			thing("kept", {}, { retainOnDelete: true }),
		);
		assert.deepEqual(await apply(), ["delete host id-host-"]);
		assert.deepEqual(bench.things(), []);
	});

	it("ignore the changes that they are told to ignore, and replace on those they are told to replace on", async () => {
		await apply(thing("a", { x: { y: 1, z: 1 }, w: 1 }, { ignoreChanges: ["x.y"] }));
		assert.deepEqual(await apply(thing("a", { x: { y: 2, z: 1 }, w: 1 }, { ignoreChanges: ["x.y"] })), []);
		assert.deepEqual(await apply(thing("a", { x: { y: 2, z: 2 }, w: 1 }, { ignoreChanges: ["x.y"] })), [
			"update a",
		]);
		assert.deepEqual(bench.resource("a").inputs?.x, { y: 1, z: 2 });
	});

	it("find renamed resources and their children by their aliases, and do nothing to them", async () => {
		await apply({ component: "old" }, thing("old-child", {}, { parent: "old" }), thing("was"));
		const calls = await apply(
			{ component: "new", options: { aliases: [{ name: "old" }] } },
			thing("new-child", {}, { parent: "new" }),
			thing("is", {}, { aliases: [{ name: "was" }] }),
		);
		assert.deepEqual(calls, []);
		assert.deepEqual(bench.things().sort(), ["is", "new-child"]);
		assert.equal(bench.resource("new-child").parent, bench.resource("new").urn);
	});

	it("read the world on refresh: changes come into the state, what is gone goes", async () => {
		await apply(thing("changed", { x: 1 }), thing("gone"), thing("orphan", { from: { $of: "gone.made" } }));
		writeFileSync(bench.file("world.json"), JSON.stringify({ "id-changed-": { x: 5 }, "id-gone-": null }));
		const result = await bench.run("refresh", "--yes", "--skip-preview");
		assert.equal(result.code, 0, result.stdout);
		assert.match(result.stdout, /~ 1 updated\n\s+- 1 deleted\n\s+2 changes\. 2 unchanged/);
		assert.equal(bench.resource("changed").outputs?.x, 5);
		assert.deepEqual(bench.things().sort(), ["changed", "orphan"]);
		assert.deepEqual(bench.resource("orphan").dependencies, undefined);
		const calls = await apply(
			thing("changed", { x: 1 }),
			thing("gone"),
			thing("orphan", { from: { $of: "gone.made" } }),
		);
		assert.deepEqual(calls.sort(), ["create gone", "update changed"]);
	});

	it("give a stack its own last outputs, and those of others", async () => {
		bench.scene(
			[{ reference: "self", stack: "organization/scene/dev" }, thing("a", { before: { $of: "self.made" } })],
			{
				outputs: { made: "by the first update" },
			},
		);
		assert.equal((await bench.up()).code, 0);
		assert.equal(bench.resource("a").inputs?.before, undefined);
		assert.equal((await bench.up()).code, 0);
		assert.equal(bench.resource("a").inputs?.before, "by the first update");
		await bench.done("stack", "init", "other");
		bench.scene([
			{ reference: "dev", stack: "organization/scene/dev" },
			thing("b", { from: { $of: "dev.made" } }),
		]);
		assert.equal((await bench.up("-s", "other")).code, 0);
		assert.equal(bench.resource("b", "other").inputs?.from, "by the first update");
	});

	it("run at once where nothing depends on another", async () => {
		const names = ["one", "two", "three", "four"];
		const calls = await apply(...names.map((name) => thing(name, { meet: names.length })));
		assert.deepEqual(calls.sort(), names.map((name) => `create ${name}`).sort());
	});
});
