import assert from "node:assert/strict";
import {
	type CreateRequest,
	type Properties,
	type Provider,
	ResourceInitFailed,
	UNKNOWN,
} from "../../engine/provider";
import { Workbench } from "./workbench";

/** A package whose resources live in this process. */
class Shelf implements Provider {
	readonly version = "1.0.0";
	readonly supportsPreview = true;
	readonly items = new Map<string, Properties>();
	readonly log: string[] = [];
	readonly creates: CreateRequest[] = [];
	configured: Properties[] = [];
	closed = 0;

	secretProperties(type: string): readonly string[] {
		return type === "shelf:index:Item" ? ["code"] : [];
	}
	async checkConfig({ news }: { news: Properties }) {
		if (news.room === "forbidden")
			return { inputs: news, failures: [{ property: "room", reason: "not that one" }] };
		return { inputs: news };
	}
	async diffConfig({ olds, news }: { olds: Properties; news: Properties }) {
		const changed = olds.room !== news.room;
		return { changes: changed ? ("some" as const) : ("none" as const), replaces: changed ? ["room"] : [] };
	}
	async configure(inputs: Properties) {
		this.configured.push(inputs);
	}
	async check({ news }: { news: Properties }) {
		return { inputs: { color: "red", ...news } };
	}
	async diff({ oldInputs, news }: { oldInputs: Properties; news: Properties }) {
		const keys = Object.keys(news).filter((key) => news[key] !== oldInputs[key]);
		return {
			changes: keys.length > 0 ? ("some" as const) : ("none" as const),
			detailed: Object.fromEntries(keys.map((key) => [key, { kind: "update" as const }])),
		};
	}
	async create(request: CreateRequest) {
		this.creates.push(request);
		const properties: Properties = { ...request.inputs, code: request.preview ? UNKNOWN : "4711" };
		if (request.preview) return { id: "", properties };
		this.items.set(request.name, properties);
		if (request.inputs.wobbly === true) {
			throw new ResourceInitFailed("it wobbles", request.name, properties, ["a leg is short"]);
		}
		return { id: request.name, properties };
	}
	async read({ id }: { id: string }) {
		const properties = this.items.get(id);
		return properties === undefined ? undefined : { id, properties };
	}
	async update({ id, news, preview }: { id: string; news: Properties; preview: boolean }) {
		const properties = { ...news, code: "4711" };
		if (!preview) this.items.set(id, properties);
		return properties;
	}
	async delete({ id }: { id: string }) {
		this.items.delete(id);
	}
	async invoke({ args }: { args: Properties }) {
		return { result: args };
	}
	async cancel() {}
	async close() {
		this.closed++;
	}
}

describe("a provider in the engine's own process", () => {
	let bench: Workbench;
	let shelf: Shelf;

	beforeEach(async () => {
		shelf = new Shelf();
		bench = new Workbench({ shelf: async () => () => shelf });
		await bench.done("stack", "init", "dev");
	});

	afterEach(() => bench.remove());

	const item = (name: string, inputs: { [key: string]: unknown }) => ({
		external: name,
		type: "shelf:index:Item",
		inputs,
	});

	it("gets plain values, and its secrets are kept secret", async () => {
		bench.scene([item("vase", { note: { $secret: "fragile" } })], { outputs: { code: { $of: "vase" } } });
		assert.equal((await bench.up()).code, 0);
		assert.deepEqual(shelf.creates[0]?.inputs, { color: "red", note: "fragile" });
		const { inputs, outputs } = bench.resource("vase");
		assert.equal(inputs?.color, "red");
		for (const value of [inputs?.note, outputs?.note, outputs?.code]) {
			assert.match((value as { ciphertext: string }).ciphertext, /^v1:/);
		}
		assert.equal(shelf.closed, 1);
	});

	it("is asked in previews, and gets what is not known yet as UNKNOWN", async () => {
		bench.scene([{ thing: "a" }, item("vase", { from: { $of: "a.made" } })]);
		assert.equal((await bench.run("preview")).code, 0);
		assert.equal(shelf.creates[0]?.preview, true);
		assert.equal(shelf.creates[0]?.inputs.from, UNKNOWN);
		assert.equal(shelf.items.size, 0);
	});

	it("is configured by the stack's settings for its package, and replaced with all it made when its diff says so", async () => {
		await bench.done("config", "set", "shelf:room", "hall");
		bench.scene([item("vase", {})]);
		await bench.up();
		assert.deepEqual(shelf.configured, [{ room: "hall" }]);
		await bench.done("config", "set", "shelf:room", "attic");
		const moved = await bench.up();
		assert.equal(moved.code, 0, moved.stdout);
		// The replacement is made in the attic; then the old one is taken out of the hall.
		assert.deepEqual(shelf.configured.slice(1), [{ room: "attic" }, { room: "hall" }]);
		assert.equal(shelf.creates.length, 2);
	});

	it("stops the update with the failures of its own check", async () => {
		await bench.done("config", "set", "shelf:room", "forbidden");
		bench.scene([item("vase", {})]);
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.match(result.stdout, /property room value \{forbidden\} has a problem: not that one/);
	});

	it("can leave a resource half done", async () => {
		bench.scene([item("table", { wobbly: true })]);
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.match(result.stdout, /it wobbles\n\s+\* a leg is short/);
		assert.deepEqual(bench.resource("table").initErrors, ["a leg is short"]);
	});
});
