import assert from "node:assert/strict";
import type { ServiceError } from "@grpc/grpc-js";
import { z } from "zod";
import { defineProvider } from "../../components/provider/define";
import { UnhealthyResource } from "../../components/provider/unhealthy";
import { initFailureOf } from "../../engine/dynamicErrors";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const inputs = z.object({ place: z.string(), size: z.number().optional(), note: z.string().optional() });
const outputs = inputs.extend({ made: z.number() });

function provider(current = true) {
	return defineProvider<z.infer<typeof inputs>, z.infer<typeof outputs>>({
		inputs,
		outputs,
		replaceOn: ["place"],
		ignore: ["note"],
		stables: ["made"],
		create: async (wanted) => ({ id: wanted.place, outputs: { ...wanted, made: 1 } }),
		update: async (_id, wanted, olds) => ({ ...wanted, made: olds.made + 1 }),
		delete: async () => {},
		isCurrent: async () => current,
		read: async (_id, olds) => (current ? olds : undefined),
	});
}

describe("a provider", () => {
	it("reports every wrong input", async () => {
		const { failures } = await provider().check({}, { place: 1, size: "x" });
		assert.deepEqual(
			failures?.map(({ property }) => property),
			["place", "size"],
		);
	});

	it("does not judge inputs that are not known yet", async () => {
		const news = { place: { nested: [UNKNOWN] } };
		assert.deepEqual(await provider().check({}, news), { inputs: news, failures: [] });
	});

	it("sees no change in equal inputs, whatever the order of their keys", async () => {
		const diff = await provider().diff(
			"a",
			{ size: 1, place: "a", made: 1, __provider: "x" },
			{ place: "a", size: 1 },
		);
		assert.deepEqual(diff, { changes: false, replaces: [], stables: ["made"], deleteBeforeReplace: false });
	});

	it("sees an input that was added, changed or taken away", async () => {
		for (const news of [{ place: "a", size: 2 }, { place: "a" }]) {
			assert.equal((await provider().diff("a", { place: "a", size: 1, made: 1 }, news)).changes, true);
		}
		assert.equal(
			(await provider().diff("a", { place: "a", made: 1 }, { place: "a", size: 1 })).changes,
			true,
		);
	});

	it("replaces for a change that needs a new resource", async () => {
		const diff = await provider().diff("a", { place: "a", made: 1 }, { place: "b" });
		assert.deepEqual(diff.replaces, ["place"]);
	});

	it("passes over a change that calls for nothing", async () => {
		const diff = await provider().diff("a", { place: "a", note: "x", made: 1 }, { place: "a", note: "y" });
		assert.equal(diff.changes, false);
	});

	it("sees that reality differs from the state", async () => {
		assert.equal((await provider(false).diff("a", { place: "a", made: 1 }, { place: "a" })).changes, true);
	});

	it("keeps what it was given among the outputs", async () => {
		assert.deepEqual(await provider().create({ place: "a", __provider: "x" }), {
			id: "a",
			outs: { place: "a", made: 1 },
		});
		assert.deepEqual(await provider().update("a", { place: "a", made: 1 }, { place: "a", size: 3 }), {
			outs: { place: "a", size: 3, made: 2 },
		});
	});

	it("reads outputs and inputs, or nothing when the resource is gone", async () => {
		assert.deepEqual(await provider().read("a", { place: "a", made: 1 }), {
			id: "a",
			props: { place: "a", made: 1 },
			inputs: { place: "a" },
		});
		assert.deepEqual(await provider(false).read("a", { place: "a", made: 1 }), { id: "", props: {} });
	});

	it("tells of a resource that is not as it should be, with all of its properties", async () => {
		const unhealthy = defineProvider<z.infer<typeof inputs>, z.infer<typeof outputs>>({
			inputs,
			outputs,
			create: async (wanted) => ({ id: "a", outputs: { ...wanted, made: 1 } }),
			update: async (_id, _wanted, olds) => olds,
			delete: async () => {},
			read: async (_id, olds) => {
				throw new UnhealthyResource("it leaks", { ...olds, made: 7 }, ["at the top", "at the bottom"]);
			},
		});
		await assert.rejects(
			unhealthy.read("a", { place: "a", made: 1, __provider: "x" }),
			(error: ServiceError) => {
				const told = initFailureOf(error);
				assert.deepEqual(
					[told?.message, told?.id, told?.properties, told?.reasons],
					["it leaks", "a", { place: "a", made: 7, __provider: "x" }, ["at the top", "at the bottom"]],
				);
				return true;
			},
		);
	});

	it("that cannot be read leaves the inputs as they are, so that no output of it gets among them", async () => {
		const unreadable = defineProvider<object, { made: number }>({
			inputs: z.object({}),
			outputs: z.object({ made: z.number() }),
			create: async () => ({ id: "a", outputs: { made: 1 } }),
			update: async (_id, _wanted, olds) => olds,
			delete: async () => {},
		});
		assert.deepEqual(await unreadable.read("a", { made: 1 }), { id: "a", props: { made: 1 } });
	});
});
