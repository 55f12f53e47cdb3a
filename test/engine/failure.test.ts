import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Workbench } from "./workbench";

describe("the embedded engine's failures", () => {
	let bench: Workbench;

	beforeEach(async () => {
		bench = new Workbench();
		await bench.done("stack", "init", "dev");
	});

	afterEach(() => bench.remove());

	it("keeps what was done before a create failed, deletes nothing, and says why once", async () => {
		bench.scene([{ thing: "old", inputs: { x: 1 } }]);
		await bench.up();
		bench.calls();
		bench.scene([
			{ thing: "new", inputs: { x: 1 } },
			{ thing: "broken", inputs: { fail: "create", after: { $of: "new.made" } } },
			{ thing: "never", inputs: { after: { $of: "broken.made" } } },
		]);
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.deepEqual(bench.calls(), ["create new", "create broken"]);
		assert.deepEqual(bench.things().sort(), ["new", "old"]);
		const diagnostics = result.stdout.slice(result.stdout.indexOf("Diagnostics:"));
		assert.equal(diagnostics.split("the create failed as asked").length, 2);
		assert.equal(bench.lastUpdate().result, "failed");
	});

	it("keeps a resource that did not come up, and updates it next time", async () => {
		bench.scene([{ thing: "half", inputs: { fail: "init" } }]);
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.match(result.stdout, /it is there but not right\n.*it did not come up/);
		assert.deepEqual(bench.resource("half").initErrors, ["it did not come up"]);
		bench.calls();
		bench.scene([{ thing: "half", inputs: {} }]);
		assert.equal((await bench.up()).code, 0);
		assert.deepEqual(bench.calls(), ["update half"]);
		assert.equal(bench.resource("half").initErrors, undefined);
	});

	it("shows an unhandled rejection of the program, deletes nothing and fails", async () => {
		bench.scene([{ thing: "a", inputs: {} }]);
		await bench.up();
		bench.scene([], { reject: "nobody caught this" });
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.match(result.stdout, /failed with an unhandled exception:\n\s+Error: nobody caught this/);
		assert.deepEqual(bench.things(), ["a"]);
	});

	it("tells the exit code of a program that ends itself, and deletes nothing even when that is 0", async () => {
		bench.scene([{ thing: "a", inputs: {} }]);
		await bench.up();
		for (const [exit, message] of [
			[7, /Program exited with non-zero exit code: 7/],
			// The SDK's runner makes it 1 when it knows of something unfinished, and leaves it when the exit comes first.
			[0, /Program exited with non-zero exit code: 1|the program ended before it had registered everything/],
		] as const) {
			bench.scene([], { exit });
			const result = await bench.up();
			assert.equal(result.code, 1);
			assert.match(result.stdout, message);
			assert.deepEqual(bench.things(), ["a"]);
		}
	});

	it("shows an error thrown inside an apply, which Node cannot colour", async () => {
		bench.writeProject("", "throws.cjs");
		const program = 'require("@pulumi/pulumi").output(1).apply(() => { throw new Error("in an apply"); });';
		writeFileSync(bench.file("throws.cjs"), program);
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.match(result.stdout, /failed with an unhandled exception:\n\s+Error: in an apply/);
	});

	it("runs a TypeScript program through the project's own loader", async () => {
		bench.writeProject("--require tsx/cjs", "typed.ts");
		writeFileSync(bench.file("typed.ts"), "const answer: number = 42;\nexport const typed = { answer };\n");
		assert.equal((await bench.up()).code, 0);
		assert.equal((await bench.done("stack", "output", "typed")).stdout, '{"answer":42}\n');
	});

	it("refuses inputs that a provider's check refuses", async () => {
		bench.scene([{ thing: "a", inputs: { invalid: "so" } }]);
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.match(
			result.stdout,
			/scene:Thing resource 'a': property invalid value \{so\} has a problem: it is not valid/,
		);
		assert.deepEqual(bench.calls(), []);
	});

	it("refuses a second resource of the same name", async () => {
		bench.scene([{ thing: "a" }, { thing: "a" }]);
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.match(result.stdout, /Duplicate resource URN '.*::a'; try giving it a unique name/);
	});

	it("refuses packages that it has no provider for, naming the way out", async () => {
		bench.scene([{ external: "bucket", type: "aws:s3/bucket:Bucket" }]);
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.match(result.stdout, /has no provider for package 'aws'.*install the Pulumi CLI/);
	});

	it("stops at a wrong passphrase before anything runs", async () => {
		bench.scene([{ thing: "a" }]);
		bench.env.PULUMI_CONFIG_PASSPHRASE = "wrong";
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.equal(result.stderr, "error: incorrect passphrase\n");
		assert.equal(result.stdout, "");
		assert.deepEqual(bench.calls(), []);
	});

	it("names the backends that it has not", async () => {
		bench.env.PULUMI_BACKEND_URL = "s3://bucket";
		const result = await bench.run("stack", "ls");
		assert.equal(result.code, 3);
		assert.match(
			result.stderr,
			/keeps state in folders only \(file:\/\/\.\.\.\), not in s3:\/\/bucket; install the Pulumi CLI/,
		);
	});

	it("says where it cannot write", async () => {
		bench.scene([{ thing: "a" }]);
		const stacks = join(bench.backend, ".pulumi", "stacks", "other");
		mkdirSync(join(bench.backend, ".pulumi", "stacks"), { recursive: true });
		writeFileSync(stacks, "in the way");
		const result = await bench.run("stack", "init", "organization/other/dev");
		assert.equal(result.code, 1);
		assert.match(
			result.stderr,
			/could not write .*stacks\/other\/dev\.json: a file is in the way of a folder of its path/,
		);
	});

	it("says once that the state can no longer be written, and starts nothing more", async () => {
		bench.scene([
			{ thing: "slow", inputs: { wait: 3000 } },
			{ thing: "next", inputs: { after: { $of: "slow.made" } } },
		]);
		const update = bench.up();
		let calls: string[] = [];
		while (!calls.includes("create slow")) {
			calls = [...calls, ...bench.calls()];
			await sleep(50);
		}
		const folder = dirname(bench.stateFile());
		renameSync(folder, join(bench.directory, "elsewhere"));
		writeFileSync(folder, "in the way");
		const { code, stdout, stderr } = await update;
		assert.equal(code, 1);
		assert.deepEqual(bench.calls(), []);
		const diagnostics = stdout.slice(stdout.indexOf("Diagnostics:")) + stderr;
		assert.equal(diagnostics.split("could not write").length, 2, diagnostics);
		assert.match(diagnostics, /could not write .*stacks\/scene\/dev\.json/);
	}).timeout(60_000);

	it("leaves a damaged state file alone", async () => {
		writeFileSync(bench.stateFile(), "{ half");
		bench.scene([{ thing: "a" }]);
		const result = await bench.up();
		assert.equal(result.code, 1);
		assert.match(result.stderr, /dev\.json is not JSON/);
		assert.equal(readFileSync(bench.stateFile(), "utf8"), "{ half");
	});
});
