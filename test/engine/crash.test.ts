import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processesOf } from "../support/processes";
import { Workbench } from "./workbench";

const DEADLINE = 60_000;

async function until(what: string, holds: () => boolean): Promise<void> {
	const end = Date.now() + DEADLINE;
	while (!holds()) {
		if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
		await sleep(50);
	}
}

describe("the embedded engine when it is stopped", () => {
	let bench: Workbench;

	beforeEach(async () => {
		bench = new Workbench();
		await bench.done("stack", "init", "dev");
	});

	afterEach(() => bench.remove());

	const locks = (): string[] => {
		const directory = join(bench.backend, ".pulumi", "locks", "organization", "scene", "dev");
		return existsSync(directory) ? readdirSync(directory) : [];
	};

	it("after kill -9 leaves no process, names what was under way, and takes over its own lock", async () => {
		bench.scene([
			{ thing: "first", inputs: { x: 1 } },
			{ thing: "slow", inputs: { wait: 60_000, after: { $of: "first.made" } } },
		]);
		const engine = bench.start("up", "--yes", "--skip-preview");
		let seen: string[] = [];
		await until("the slow create runs", () => {
			seen = [...seen, ...bench.calls()];
			return seen.includes("create slow");
		});
		const ended = once(engine, "exit");
		engine.kill("SIGKILL");
		await ended;
		await until("all processes are gone", () => processesOf(bench.directory).length === 0);

		const { resources, pending_operations: pending } = bench.state();
		assert.ok(resources.some(({ id }) => id === "id-first-"));
		assert.deepEqual(
			pending?.map(({ type, resource }) => [type, resource.urn.split("::").at(-1)]),
			[["creating", "slow"]],
		);
		assert.equal(locks().length, 1);

		bench.scene([
			{ thing: "first", inputs: { x: 1 } },
			{ thing: "slow", inputs: { after: { $of: "first.made" } } },
		]);
		const again = await bench.up();
		assert.equal(again.code, 0, again.stdout);
		assert.match(again.stdout, /took over the lock of a process that is gone: \S+ \(pid \d+\) at /);
		assert.match(
			again.stdout,
			/1 pending operations from previous deployment[\s\S]*slow, interrupted while creating/,
		);
		assert.deepEqual(bench.calls(), ["create slow"]);
		assert.equal(bench.state().pending_operations, undefined);
		assert.deepEqual(locks(), []);
	});

	it("on SIGTERM lets the running operation end, saves it, starts no other, and unlocks", async () => {
		bench.scene([
			{ thing: "slow", inputs: { wait: 2000 } },
			{ thing: "next", inputs: { after: { $of: "slow.made" } } },
		]);
		const engine = bench.start("up", "--yes", "--skip-preview");
		let seen: string[] = [];
		await until("the slow create runs", () => {
			seen = [...seen, ...bench.calls()];
			return seen.includes("create slow");
		});
		engine.kill("SIGTERM");
		const [code] = (await once(engine, "exit")) as [number];
		assert.equal(code, 1);
		assert.deepEqual(bench.things(), ["slow"]);
		assert.equal(bench.state().pending_operations, undefined);
		assert.deepEqual(bench.calls(), []);
		assert.deepEqual(locks(), []);
		await until("all processes are gone", () => processesOf(bench.directory).length === 0);
	});

	it("refuses a second update and says who holds the lock and since when", async () => {
		bench.scene([{ thing: "slow", inputs: { wait: 4000 } }]);
		const engine = bench.start("up", "--yes", "--skip-preview");
		let seen: string[] = [];
		await until("the slow create runs", () => {
			seen = [...seen, ...bench.calls()];
			return seen.includes("create slow");
		});
		const second = await bench.up();
		assert.equal(second.code, 1);
		assert.match(
			second.stderr,
			new RegExp(
				`the stack is currently locked by 1 lock\\(s\\)[\\s\\S]*created by \\S+@\\S+ \\(pid ${engine.pid}\\) at \\d{4}-`,
			),
		);
		const [code] = (await once(engine, "exit")) as [number];
		assert.equal(code, 0);
	});
});
