import assert from "node:assert/strict";
import { Workbench } from "./workbench";

describe("the embedded engine's updates", () => {
	let bench: Workbench;

	beforeEach(async () => {
		bench = new Workbench();
		await bench.done("stack", "init", "dev");
	});

	afterEach(() => bench.remove());

	it("creates, keeps, updates and deletes, each once", async () => {
		bench.scene([
			{ thing: "a", inputs: { size: 1 } },
			{ thing: "b", inputs: { from: { $of: "a.made" } } },
		]);
		assert.equal((await bench.up()).code, 0);
		assert.deepEqual(bench.calls(), ["create a", "create b"]);
		assert.deepEqual(bench.lastUpdate().resourceChanges, { create: 3 });

		const same = await bench.up();
		assert.deepEqual(bench.calls(), []);
		assert.match(same.stdout, /Resources:\n {4}3 unchanged/);

		bench.scene([{ thing: "a", inputs: { size: 2 } }]);
		const changed = await bench.up();
		assert.equal(changed.code, 0);
		assert.deepEqual(bench.calls(), ["update a", "delete b id-b-"]);
		assert.deepEqual(bench.things(), ["a"]);
		assert.deepEqual(bench.lastUpdate().resourceChanges, { same: 1, update: 1, delete: 1 });
	});
});
