import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { DeployedProject } from "../support/deployed-project";
import { onEachEngine } from "../support/engines";
import { gitIn } from "../support/git";
import { type CommandResult, finished, query } from "../support/project";

const PRODUCTION = "production";

onEachEngine("a production stack", (engine) => {
	let project: DeployedProject;
	let settings: Record<string, string | boolean>;

	before(async () => {
		project = new DeployedProject(engine);
		await project.init();
		await project.mustUp();
		settings = {
			environment: "production",
			platform: "local",
			strategy: "in-place",
			sslMode: "disable",
			release: "1.3.0",
			promoteFrom: project.stack,
			stages: "[]",
		};
		configure({});
		writeFileSync(project.path(".gitignore"), ".local/\nnode_modules\n");
		gitIn(project.directory, "init", "--quiet");
		commit();
		assert.equal((await run("stack", "init", PRODUCTION)).code, 0);
	});

	after(() => project.discard());

	function commit(): void {
		gitIn(project.directory, "add", "--all");
		gitIn(project.directory, "commit", "--quiet", "-m", "As it is deployed");
	}

	function configure(changes: Record<string, string | boolean>): void {
		settings = { ...settings, ...changes };
		const config = Object.fromEntries(
			Object.entries(settings).map(([key, value]) => [`camera-counting:${key}`, value]),
		);
		writeFileSync(project.path(`Pulumi.${PRODUCTION}.yaml`), stringify({ config }));
	}

	function run(...args: string[]): Promise<CommandResult> {
		return finished(project.start(args));
	}

	const up = () => run("up", "--yes", "--skip-preview", "-s", PRODUCTION);
	const destroy = () => run("destroy", "--yes", "--skip-preview", "-s", PRODUCTION);

	it("gets what the stack before it has completed, from a commit, and is destroyed only when two settings say so", async () => {
		project.addTable("1.4.0", "zones");
		appendFileSync(project.path("service", "main.ts"), "\n");
		configure({ release: "1.4.0" });
		const refused = await up();
		assert.notEqual(refused.code, 0);
		assert.match(refused.output, /the update is refused, nothing was changed:/);
		assert.match(
			refused.output,
			/- files differ from commit [0-9a-f]{12}: migrations\/1\.4\.0_add_zones\.sql, service\/main\.ts;|- files differ from commit [0-9a-f]{12}: service\/main\.ts, migrations\/1\.4\.0_add_zones\.sql;/,
		);
		assert.match(
			refused.output,
			/- release 1\.4\.0 has not gone through stack dev, which has completed 1\.3\.0: deploy it there first, /,
		);

		commit();
		configure({ release: "1.3.0" });
		const first = await up();
		assert.equal(first.code, 0, first.output);

		configure({ release: "1.4.0", releaseWithoutStaging: "1.4.0" });
		const told = await up();
		assert.equal(told.code, 0, told.output);
		assert.match(told.output, /release 1\.4\.0 goes without stack dev: releaseWithoutStaging says so/);
		const outputs = JSON.parse(
			(await run("stack", "output", "--json", "--show-secrets", "-s", PRODUCTION)).stdout,
		);
		assert.deepEqual(outputs.completed, ["1.3.0", "1.4.0"]);
		assert.deepEqual(
			await query(
				outputs.catalog,
				"SELECT deployment_config ->> 'releaseWithoutStaging' AS without FROM deployment_pipelines ORDER BY id",
			),
			[{ without: null }, { without: "1.4.0" }],
		);

		const kept = await destroy();
		assert.notEqual(kept.code, 0);
		assert.match(
			kept.output,
			/stack production is protected, nothing was destroyed: set protectDatabases to false/,
		);
		assert.equal((await fetch(`${outputs.url}/readyz`)).status, 200);

		configure({ protectDatabases: false, allowDestroy: PRODUCTION });
		const allowed = await up();
		assert.equal(allowed.code, 0, allowed.output);
		const destroyed = await destroy();
		assert.equal(destroyed.code, 0, destroyed.output);
	});
});
