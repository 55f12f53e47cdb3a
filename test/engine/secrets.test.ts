import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Result, Workbench } from "./workbench";

function filesBelow(directory: string): string[] {
	return readdirSync(directory, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name));
}

describe("the embedded engine's secrets", () => {
	let bench: Workbench;
	/** What was printed before and by the update. */
	const shown: Result[] = [];

	before(async () => {
		bench = new Workbench();
		await bench.done("stack", "init", "dev");
		await bench.done("config", "set", "--secret", "password", "in-the-config");
		bench.scene(
			[
				{
					thing: "a",
					inputs: { key: { $secret: "in-an-input" }, deep: { list: [{ $secret: "in-a-list" }] } },
				},
				{ thing: "b", inputs: { from: { $of: "a.key" } }, options: { additionalSecretOutputs: ["made"] } },
			],
			{
				outputs: { shown: "open", hidden: { $of: "a.key" }, made: { $of: "b.made" } },
				say: ["saying in-the-config"],
			},
		);
		shown.push(await bench.done("preview", "--diff"), await bench.done("preview"));
		shown.push(await bench.done("up", "--yes", "--skip-preview"));
	});

	after(() => bench.remove());

	const SECRETS = ["in-the-config", "in-an-input", "in-a-list", "made b"];

	it("are in no file and on no screen, from the preview to the history", async () => {
		for (const verb of [
			["stack"],
			["stack", "output"],
			["stack", "output", "--json"],
			["stack", "history", "--json"],
			["config"],
			["stack", "export"],
		]) {
			shown.push(await bench.done(...verb));
		}
		for (const secret of SECRETS) {
			for (const { stdout, stderr } of shown)
				assert.ok(!(stdout + stderr).includes(secret), `${secret} was printed`);
			for (const file of [...filesBelow(bench.backend), bench.file("Pulumi.dev.yaml")]) {
				assert.ok(!readFileSync(file, "utf8").includes(secret), `${secret} is in ${file}`);
			}
		}
		assert.match(shown.map(({ stdout }) => stdout).join(), /saying \[secret\]/);
	});

	it("are shown when they are asked for", async () => {
		const outputs = JSON.parse((await bench.done("stack", "output", "--json", "--show-secrets")).stdout);
		assert.deepEqual(outputs, {
			shown: "open",
			hidden: "in-an-input",
			made: "made b",
			password: "in-the-config",
		});
		assert.equal((await bench.done("stack", "output", "hidden", "--show-secrets")).stdout, "in-an-input\n");
		assert.equal((await bench.done("stack", "output", "hidden")).stdout, "[secret]\n");
		assert.equal((await bench.done("config", "get", "password")).stdout, "in-the-config\n");
		const exported = (await bench.done("stack", "export", "--show-secrets")).stdout;
		for (const secret of SECRETS) assert.ok(exported.includes(secret), `${secret} is not exported`);
	});

	it("keep their ciphertext while they do not change", async () => {
		const before = bench.resource("a");
		await bench.done("up", "--yes", "--skip-preview");
		const now = bench.resource("a");
		assert.deepEqual(now.inputs, before.inputs);
		assert.deepEqual(now.outputs, before.outputs);
	});

	it("of another stack are encrypted anew by the stack that reads them", async () => {
		await bench.done("stack", "init", "reader");
		bench.scene([{ reference: "other", stack: "organization/scene/dev" }], {
			outputs: { read: { $of: "other.hidden" } },
		});
		for (let update = 0; update < 2; update++) {
			await bench.done("up", "--yes", "--skip-preview", "-s", "reader");
			const { stdout } = await bench.done("stack", "output", "read", "--show-secrets", "-s", "reader");
			assert.equal(stdout, "in-an-input\n");
		}
	});

	it("of another stack are empty for a stack under another passphrase, and what is not secret is read", async () => {
		const own = bench.env.PULUMI_CONFIG_PASSPHRASE;
		bench.env.PULUMI_CONFIG_PASSPHRASE = "of another team";
		try {
			await bench.done("stack", "init", "foreign");
			bench.scene([{ reference: "other", stack: "organization/scene/dev" }], {
				outputs: { hidden: { $of: "other.hidden" }, shown: { $of: "other.shown" } },
			});
			await bench.done("up", "--yes", "--skip-preview", "-s", "foreign");
			const { stdout } = await bench.done("stack", "output", "--json", "--show-secrets", "-s", "foreign");
			assert.deepEqual(JSON.parse(stdout), { hidden: {}, shown: "open" });
		} finally {
			bench.env.PULUMI_CONFIG_PASSPHRASE = own;
		}
	});

	it("bring their salt into the stack file, and nothing else does", async () => {
		const salt = /encryptionsalt: (v1:\S+)/.exec(readFileSync(bench.file("Pulumi.dev.yaml"), "utf8"))?.[1];
		assert.equal(salt, bench.state().secrets_providers.state.salt);
		const other = new Workbench();
		try {
			await other.done("stack", "init", "dev");
			other.scene([{ thing: "a", inputs: { key: { $secret: "x" } } }]);
			await other.done("up", "--yes", "--skip-preview");
			assert.equal(existsSync(other.file("Pulumi.dev.yaml")), false);
		} finally {
			other.remove();
		}
	});
});
