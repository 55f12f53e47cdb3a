import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Workbench } from "./workbench";

describe("the embedded engine's commands", () => {
	let bench: Workbench;

	beforeEach(() => {
		bench = new Workbench();
		bench.scene([{ thing: "a", inputs: { x: 1 } }], {
			outputs: { made: { $of: "a.made" }, n: 3, list: [1, "two"] },
		});
	});

	afterEach(() => bench.remove());

	it("make, select, list and remove stacks", async () => {
		assert.equal((await bench.run("stack")).code, 6);
		await bench.done("stack", "init", "dev");
		await bench.done("stack", "init", "--stack", "organization/scene/second");
		assert.match((await bench.run("stack", "init", "dev")).stderr, /stack 'dev' already exists/);
		const list = JSON.parse((await bench.done("stack", "ls", "--json")).stdout);
		assert.deepEqual(
			list.map(({ name, current }: { name: string; current: boolean }) => [name, current]),
			[
				["dev", false],
				["second", true],
			],
		);
		await bench.done("stack", "select", "dev");
		await bench.done("up", "--yes", "--skip-preview");
		const refused = await bench.run("stack", "rm", "--yes");
		assert.equal(refused.code, 1);
		assert.match(refused.stderr, /'dev' still has resources; removal rejected/);
		await bench.done("destroy", "--yes", "--remove");
		assert.equal(existsSync(bench.stateFile()), false);
		await bench.done("stack", "rm", "second", "--yes");
		assert.equal((await bench.run("up", "--yes", "-s", "dev")).code, 6);
	});

	it("show outputs, history and the overview", async () => {
		await bench.done("stack", "init", "dev");
		await bench.done("up", "--yes", "--skip-preview", "--message", "the first one");
		assert.equal((await bench.done("stack", "output", "made")).stdout, "made a\n");
		assert.equal((await bench.done("stack", "output", "list")).stdout, '[1,"two"]\n');
		assert.equal(
			(await bench.run("stack", "output", "nope")).stderr,
			"error: current stack does not have output property 'nope'\n",
		);
		const [update] = JSON.parse((await bench.done("stack", "history", "--json")).stdout);
		assert.equal(update.kind, "update");
		assert.equal(update.result, "succeeded");
		assert.equal(update.message, "the first one");
		assert.deepEqual(update.resourceChanges, { create: 2 });
		assert.ok(Date.parse(update.endTime) >= Date.parse(update.startTime));
		const { stdout } = await bench.done("stack");
		assert.match(
			stdout,
			/pulumi:pulumi:Stack\s+scene-dev\n\s+├─ [\s\S]*└─ pulumi-nodejs:dynamic\/scene:Thing\s+a\n/,
		);
	});

	it("keep configuration with its comments, give it to the program, and forget it", async () => {
		await bench.done("stack", "init", "dev");
		writeFileSync(
			bench.file("Pulumi.dev.yaml"),
			"# ours\nconfig:\n  scene:pool: 5\n  other:deep: {a: [1, true]}\n",
		);
		await bench.done("config", "set", "echo", "hello");
		assert.match(readFileSync(bench.file("Pulumi.dev.yaml"), "utf8"), /^# ours\n/);
		assert.deepEqual(JSON.parse((await bench.done("config", "--json")).stdout), {
			"other:deep": { value: '{"a":[1,true]}', secret: false },
			"scene:echo": { value: "hello", secret: false },
			"scene:pool": { value: "5", secret: false },
		});
		await bench.done("up", "--yes", "--skip-preview");
		assert.equal((await bench.done("stack", "output", "echo")).stdout, "hello\n");
		await bench.done("config", "rm", "echo");
		const missing = await bench.run("config", "get", "echo");
		assert.equal(missing.code, 1);
		assert.equal(missing.stderr, "error: configuration key 'echo' not found for stack 'dev'\n");
	});

	it("change a value where it stands", async () => {
		await bench.done("stack", "init", "dev");
		writeFileSync(bench.file("Pulumi.dev.yaml"), "config:\n  scene:first: 1\n  scene:second: 2\n");
		await bench.done("config", "set", "first", "one");
		assert.equal(
			readFileSync(bench.file("Pulumi.dev.yaml"), "utf8"),
			"config:\n  scene:first: one\n  scene:second: 2\n",
		);
	});

	it("remember in the history which commit an update was made from", async () => {
		const git = (...argv: string[]) => bench.command("git", argv);
		await git("init", "--quiet", "--initial-branch", "main");
		await git("add", "Pulumi.yaml");
		const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
		await git(...author, "commit", "--quiet", "--message", "Release it");
		await bench.done("stack", "init", "dev");
		await bench.done("up", "--yes", "--skip-preview");
		const [update] = JSON.parse((await bench.done("stack", "history", "--json")).stdout);
		assert.equal(update.message, "Release it");
		assert.equal(update.environment["git.author"], "Ada");
		assert.equal(update.environment["git.headName"], "refs/heads/main");
		assert.equal(update.environment["git.head"], (await git("rev-parse", "HEAD")).stdout.trim());
	});

	it("refuse to change anything unasked where nobody can be asked", async () => {
		await bench.done("stack", "init", "dev");
		for (const verb of ["up", "destroy", "refresh"]) {
			const result = await bench.run(verb);
			assert.equal(result.code, 2);
			assert.match(result.stderr, /--yes or --skip-preview or --preview-only must be passed in to proceed/);
		}
	});

	it("preview without changing anything, and can insist on no changes", async () => {
		await bench.done("stack", "init", "dev");
		const first = await bench.run("preview", "--expect-no-changes");
		assert.equal(first.code, 7);
		assert.match(first.stderr, /no changes were expected for preview but changes were proposed/);
		assert.deepEqual(bench.state().resources, []);
		assert.deepEqual(bench.calls(), []);
		await bench.done("up", "--yes", "--skip-preview");
		assert.equal((await bench.run("preview", "--expect-no-changes")).code, 0);
		bench.scene([
			{ thing: "a", inputs: { x: 2, y: [1] } },
			{ thing: "b", inputs: { from: { $of: "a.made" } } },
		]);
		const { stdout } = await bench.done("preview", "--diff");
		assert.match(
			stdout,
			/~ pulumi-nodejs:dynamic\/scene:Thing: \(update\)\n\s+\[id=id-a-\]\n\s+\[urn=.*::a\]\n\s+~ x: 1 => 2\n\s+\+ y: \[/,
		);
		assert.match(stdout, /\+ 1 to create\n\s+~ 1 to update\n\s+2 changes\. 1 unchanged/);
		assert.match(
			(await bench.done("preview")).stdout,
			/ ~ {2}pulumi-nodejs:dynamic\/scene:Thing a update \[diff: \+y~x\]/,
		);
	});

	it("refuse unknown commands and flags", async () => {
		const command = await bench.run("conjure");
		assert.equal(command.code, 1);
		assert.match(command.stderr, /unknown command "conjure" for "pulumi"/);
		const flag = await bench.run("up", "--target", "x");
		assert.equal(flag.code, 1);
		assert.equal(flag.stderr, "error: unknown flag: --target\n");
	});

	it("export a stack and import it again", async () => {
		await bench.done("stack", "init", "dev");
		await bench.done("up", "--yes", "--skip-preview");
		const before = bench.state().resources;
		await bench.done("stack", "export", "--file", "saved.json");
		await bench.done("destroy", "--yes", "--skip-preview");
		await bench.done("stack", "import", "--file", "saved.json");
		assert.deepEqual(bench.state().resources, before);
	});
});
