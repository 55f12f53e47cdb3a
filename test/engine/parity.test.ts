import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { type Scene, type SceneEntry, type State, Workbench } from "./workbench";

/** Whether the Pulumi CLI is there; what npm puts on PATH is not it. */
const cli = (() => {
	try {
		return execFileSync("which", ["-a", "pulumi"], { encoding: "utf8" })
			.split("\n")
			.find((path) => path !== "" && !path.includes("node_modules"));
	} catch {
		return undefined;
	}
})();

interface Phase {
	name: string;
	scene: Scene;
	code?: number;
	/** The world as the things' provider reads it. */
	world?: { [id: string]: unknown };
	verb?: "up" | "destroy" | "refresh";
}

const thing = (
	name: string,
	inputs: SceneEntry["inputs"] = {},
	options?: SceneEntry["options"],
): SceneEntry => ({
	thing: name,
	inputs,
	options,
});

/** One stack through all that can happen to its resources. */
const PHASES: Phase[] = [
	{
		name: "create",
		scene: {
			resources: [
				thing("plain", { size: 1, list: [1, { deep: true }], none: null, text: "<&>" }),
				thing("hidden", { password: { $secret: "hunter2" }, nested: { key: { $secret: "inner" }, open: 1 } }),
				thing("extra", { token: "abc" }, { additionalSecretOutputs: ["made"] }),
				thing("dependent", { from: { $of: "plain.made" } }, { dependsOn: ["hidden"] }),
				{ component: "group", outputs: { child: "yes", secret: { $secret: 5 } } },
				thing("child", { x: 1 }, { parent: "group" }),
				{ provider: "other", inputs: { region: "here" } },
				thing("explicit", { x: 1 }, { provider: "other" }),
				thing("guarded", { x: 1 }, { protect: true }),
				thing("ignored", { x: 1, y: 1 }, { ignoreChanges: ["x"] }),
				thing("kept", { x: 1 }, { retainOnDelete: true }),
				thing("timed", { x: 1 }, { customTimeouts: { create: "5m", delete: "30s" } }),
				thing("base", { replaceMe: "1" }),
				thing("onBase", { replaceFrom: { $of: "base.made" } }, { dependsOn: ["base"] }),
				thing("with", { x: 1 }, { deletedWith: "plain" }),
				thing("dbrBase", { replaceMe: "1", dbr: true }),
				thing("dbrDependent", { replaceFrom: { $of: "dbrBase.made" }, dbr: true }),
				thing("oldName", { x: 1 }),
				{ component: "oldGroup" },
				thing("oldGroup-child", { x: 1 }, { parent: "oldGroup" }),
				thing("byDefault", { defaulted: true }),
				thing("onChanges", { x: 1, plain: 1 }, { replaceOnChanges: ["x"] }),
			],
			outputs: { made: { $of: "plain.made" }, password: { $secret: "out" }, group: { $of: "group" } },
		},
	},
	{
		name: "change, replace in both orders, rename",
		scene: {
			resources: [
				thing("plain", { size: 2, list: [1, { deep: false }], text: "<&>" }),
				thing("hidden", { password: { $secret: "hunter3" }, nested: { key: { $secret: "inner" }, open: 2 } }),
				thing("extra", { token: "abc" }, { additionalSecretOutputs: ["made", "token"] }),
				thing("dependent", { from: { $of: "plain.made" } }),
				{ component: "group", outputs: { child: "changed" } },
				thing("child", { x: 2 }, { parent: "group" }),
				{ provider: "other", inputs: { region: "there" } },
				thing("explicit", { x: 1 }, { provider: "other" }),
				thing("guarded", { x: 2 }, { protect: true }),
				thing("ignored", { x: 2, y: 2 }, { ignoreChanges: ["x"] }),
				thing("timed", { x: 1 }, { customTimeouts: { create: "6m" } }),
				thing("base", { replaceMe: "2" }),
				thing("onBase", { replaceFrom: { $of: "base.made" } }, { dependsOn: ["base"] }),
				thing("with", { x: 1 }, { deletedWith: "plain" }),
				thing("dbrBase", { replaceMe: "2", dbr: true }),
				thing("dbrDependent", { replaceFrom: { $of: "dbrBase.made" }, dbr: true }),
				thing("newName", { x: 1 }, { aliases: [{ name: "oldName" }] }),
				{ component: "newGroup", options: { aliases: [{ name: "oldGroup" }] } },
				thing("newGroup-child", { x: 1 }, { parent: "newGroup" }),
				thing("byDefault", { defaulted: true }),
				thing("onChanges", { x: 2, plain: 1 }, { replaceOnChanges: ["x"] }),
			],
			outputs: { made: { $of: "plain.made" }, password: { $secret: "out" } },
		},
	},
	{
		name: "fail in the middle",
		code: 1,
		scene: {
			resources: [
				thing("plain", { size: 3 }),
				thing("guarded", { x: 2 }, { protect: true }),
				thing("broken", { fail: "create" }, { dependsOn: ["plain"] }),
				thing("after", { x: 1 }, { dependsOn: ["broken"] }),
			],
			outputs: { other: 1 },
		},
	},
	{
		name: "fail to initialize",
		code: 1,
		scene: {
			resources: [
				thing("plain", { size: 3 }),
				thing("guarded", { x: 2 }, { protect: true }),
				thing("half", { fail: "init" }),
			],
		},
	},
	{
		name: "mend what was not initialized, and delete the rest",
		scene: {
			resources: [
				thing("plain", { size: 3 }),
				thing("guarded", { x: 2 }, { protect: true }),
				thing("half", { x: 1 }),
			],
			outputs: { made: { $of: "half.made" } },
		},
	},
	{
		name: "refuse a delete that is protected",
		code: 1,
		scene: { resources: [thing("plain", { size: 3 }), thing("half", { x: 1 })] },
	},
	{
		name: "refresh",
		verb: "refresh",
		world: { "id-plain-": { size: 9 }, "id-half": null },
		scene: { resources: [] },
	},
	{
		name: "unprotect and reference the stack itself",
		scene: {
			resources: [
				{ reference: "self", stack: "organization/scene/dev" },
				thing("plain", { size: 9, before: { $of: "self.made" } }),
				thing("guarded", { x: 2 }),
			],
			outputs: { made: { $of: "plain.made" }, password: { $secret: "again" } },
		},
	},
	{ name: "prepare a failing delete", scene: { resources: [thing("guarded", { failDelete: true })] } },
	{ name: "fail to delete", code: 1, scene: { resources: [] } },
	{ name: "recover", scene: { resources: [thing("guarded", { failDelete: false })] } },
	{ name: "destroy", verb: "destroy", scene: { resources: [] } },
];

/** The state without what no two runs have in common: times, ids of providers, ciphertexts, positions in files. */
function comparable(state: State): unknown {
	const ids = new Map<string, string>();
	for (const { id, type, urn } of state.resources) {
		if (type.startsWith("pulumi:providers:") && id !== undefined) ids.set(id, `id of ${urn}`);
	}
	const resources = [...state.resources].map((resource) => {
		const { created, modified, sourcePosition, stackTrace, ...rest } = resource;
		return { ...rest, dependencies: [...((rest.dependencies as string[]) ?? [])].sort() };
	});
	const text = JSON.stringify(resources, (key, value) => (key === "ciphertext" ? "hidden" : value));
	const named = [...ids].reduce((all, [id, name]) => all.replaceAll(id, name), text);
	const list = JSON.parse(named) as { urn: string; delete?: boolean }[];
	const order = (one: { urn: string; delete?: boolean }): string => `${one.urn} ${one.delete === true}`;
	return {
		resources: list.sort((a, b) => (order(a) < order(b) ? -1 : 1)),
		operations: (state.pending_operations ?? []).map(({ type, resource }) => [type, resource.urn]),
	};
}

async function runPhase(bench: Workbench, phase: Phase, engine: "embedded" | "cli") {
	const { writeFileSync } = await import("node:fs");
	bench.scene(phase.scene.resources, { outputs: phase.scene.outputs });
	writeFileSync(bench.file("world.json"), JSON.stringify(phase.world ?? {}));
	const argv = [
		phase.verb ?? "up",
		"--yes",
		"--skip-preview",
		"--non-interactive",
		"--parallel",
		"1",
		"-s",
		"dev",
	];
	const result = engine === "cli" ? await bench.command(cli!, argv) : await bench.run(...argv);
	assert.equal(result.code === 0 ? 0 : 1, phase.code ?? 0, `${engine}: ${result.stdout}${result.stderr}`);
	return {
		calls: bench.calls().sort(),
		state: comparable(bench.state()),
		changes: bench.lastUpdate().resourceChanges,
	};
}

const title = "the embedded engine beside the Pulumi CLI";
(cli === undefined ? describe.skip : describe)(
	cli === undefined ? `${title} (skipped: pulumi is not on PATH)` : title,
	function () {
		this.timeout(240_000);
		const benches: Workbench[] = [];
		const bench = (): Workbench => {
			const made = new Workbench();
			benches.push(made);
			return made;
		};

		afterEach(() => {
			for (const used of benches.splice(0)) used.remove();
		});

		it("calls providers alike and comes to the same states", async () => {
			const [ours, theirs] = [bench(), bench()];
			await Promise.all([ours.done("stack", "init", "dev"), theirs.command(cli!, ["stack", "init", "dev"])]);
			for (const phase of PHASES) {
				const mine = await runPhase(ours, phase, "embedded");
				const other = await runPhase(theirs, phase, "cli");
				assert.deepEqual(mine.state, other.state, `state after: ${phase.name}`);
				assert.deepEqual(mine.calls, other.calls, `calls in: ${phase.name}`);
				if (phase.code === undefined)
					assert.deepEqual(mine.changes, other.changes, `changes in: ${phase.name}`);
			}
		});

		it("hands a stack over in both directions without a change", async () => {
			const both = bench();
			await both.done("stack", "init", "dev");
			await both.done("config", "set", "--secret", "password", "pa55word", "-s", "dev");
			await both.done("config", "set", "echo", "hello", "-s", "dev");
			const preview = ["preview", "--expect-no-changes", "--non-interactive", "-s", "dev"];
			const up = ["up", "--yes", "--skip-preview", "--non-interactive", "-s", "dev"];
			for (const { scene } of [PHASES[0]!, PHASES[1]!]) {
				both.scene(scene.resources, { outputs: scene.outputs });
				await both.done(...up);
				const theirs = await both.command(cli!, preview);
				assert.equal(theirs.code, 0, theirs.stdout + theirs.stderr);
			}
			both.scene(PHASES[0]!.scene.resources, { outputs: PHASES[0]!.scene.outputs });
			const byCli = await both.command(cli!, up);
			assert.equal(byCli.code, 0, byCli.stdout + byCli.stderr);
			const ours = await both.run(...preview);
			assert.equal(ours.code, 0, ours.stdout + ours.stderr);
			const outputs = ["stack", "output", "--json", "--show-secrets", "-s", "dev"];
			assert.deepEqual(
				JSON.parse((await both.done(...outputs)).stdout),
				JSON.parse((await both.command(cli!, outputs)).stdout),
			);
		});
	},
);
