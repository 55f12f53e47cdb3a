import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { BASE_VERSIONS, type DeployedProject, deployedStack, sections } from "../support/deployed-project";
import { onCli } from "../support/engines";
import { underLoad } from "../support/load";
import { assertClearFailure } from "../support/outcome";
import type { CommandResult } from "../support/project";

describe("a release that fails, on the embedded engine", () => {
	const stack = deployedStack("embedded");

	it("undoes what it had applied when a migration fails, and goes through once the file is mended", async () => {
		const project = stack();
		project.addTable("1.3.1", "zones");
		const broken = {
			up: "CREATE TABLE lines (id int);\nSELECT nonsense FROM lines;",
			down: "DROP TABLE lines;",
		};
		project.migration("1.3.2_add_lines.sql", sections(broken));
		project.configure({ release: "1.3.2" });

		const { result: failed, failures } = await underLoad(`${project.url}/cameras`, () => project.up());

		assert.deepEqual(failures, []);

		assertClearFailure(failed);
		assert.match(failed.output, /migration 1\.3\.2 add_lines failed at migrations\/1\.3\.2_add_lines\.sql:5/);
		assert.match(failed.output, /^\s+SELECT nonsense FROM lines;\n\s+\^$/m);
		assert.match(failed.output, /automatic rollback: undid 1\.3\.1/);
		assert.deepEqual(await project.appliedInTarget(), BASE_VERSIONS);
		assert.deepEqual(await lastDeployment(project), {
			release: "1.3.2",
			status: "rolled_back",
			rollback: "automatic",
			previous: "1.3.2",
			target: "1.3.0",
			outcome: "completed",
		});
		assert.equal(await liveRelease(project), "1.3.0");

		project.migration("1.3.2_add_lines.sql", sections({ ...broken, up: "CREATE TABLE lines (id int);" }));
		await project.mustUp();
		await project.assertStanding("1.3.2", [...BASE_VERSIONS, "1.3.1", "1.3.2"]);
		await putBack(project, "1.3.1_add_zones.sql", "1.3.2_add_lines.sql");
	});

	it("leaves irreversible migrations applied and says so", async () => {
		const project = stack();
		project.migration(
			"1.3.1_widen_names.sql",
			sections({
				header: ["-- irreversible: longer names would not fit any more"],
				up: "ALTER TABLE cameras ALTER COLUMN camera_name TYPE VARCHAR(200);",
			}),
		);
		project.migration("1.3.2_fail.sql", sections({ up: "SELECT 1 / 0;", down: "SELECT 1;" }));
		project.configure({ release: "1.3.2" });

		const failed = await project.up();

		assertClearFailure(failed);
		assert.match(failed.output, /division by zero/);
		assert.match(
			failed.output,
			/1\.3\.1 of this run stay as they are: 1\.3\.1 widen_names cannot be undone \(longer names would not fit/,
		);
		assert.deepEqual(await project.appliedInTarget(), [...BASE_VERSIONS, "1.3.1"]);
		assert.equal(await liveRelease(project), "1.3.0");
		project.configure({ release: "1.3.0" });
		const back = await project.up();
		assertClearFailure(back);
		assert.match(back.output, /1\.3\.1 widen_names is applied and no longer wanted, but it cannot be undone/);

		project.removeMigration("1.3.2_fail.sql");
		project.configure({ release: "1.3.1" });
		await project.mustUp();
		assert.equal(await liveRelease(project), "1.3.1");
		await project.database("ALTER TABLE cameras ALTER COLUMN camera_name TYPE VARCHAR(100)");
		await project.database("DELETE FROM deployment.schema_migrations WHERE version = '1.3.1'");
		await putBack(project, "1.3.1_widen_names.sql");
	});

	it("keeps the traffic where it is when the service ends at its start", async () => {
		const project = stack();
		const failed = await upWithService(project, `console.error("no camera driver"); process.exit(3);`);
		assert.match(failed.output, /the service 1\.4\.0-\w+ ended; last lines of .*\n\s*no camera driver/);

		project.configure({ serviceEntry: undefined });
		await project.mustUp();
		await project.assertStanding("1.4.0", [...BASE_VERSIONS, "1.4.0"]);
		await putBack(project, "1.4.0_add_zones.sql");
	});

	it("keeps the traffic where it is when the service does not become ready", async () => {
		const project = stack();
		const failed = await upWithService(project, answering("1.4.0", 503));
		assert.match(
			failed.output,
			/was not ready within 2 s \(\/readyz answered 503 .*\); last lines of .*\n\s*listening/,
		);

		await putBack(project, "1.4.0_add_zones.sql");
		await project.assertStanding("1.3.0", BASE_VERSIONS);
	});

	it("takes the traffic back when another release answers than the one that was deployed", async () => {
		const project = stack();
		const failed = await upWithService(project, answering("9.9.9", 200));
		assert.match(failed.output, /is not healthy after 2 s: release 9\.9\.9 answers, not 1\.4\.0/);

		await putBack(project, "1.4.0_add_zones.sql");
		await project.assertStanding("1.3.0", BASE_VERSIONS);
	});
});

onCli("a release that fails, on the Pulumi CLI", () => {
	const stack = deployedStack("cli");

	it("undoes its migrations, keeps the traffic, and is put back", async () => {
		const project = stack();
		const failed = await upWithService(project, answering("9.9.9", 200));
		assert.match(failed.output, /is not healthy after 2 s: release 9\.9\.9 answers, not 1\.4\.0/);
		await putBack(project, "1.4.0_add_zones.sql");
		await project.assertStanding("1.3.0", BASE_VERSIONS);
	});
});

/** Raises the release to 1.4.0 with a migration and a service of the test's own, under load. It must fail. */
async function upWithService(project: DeployedProject, program: string): Promise<CommandResult> {
	const serving = project.running().service;
	project.addTable("1.4.0", "zones");
	writeFileSync(project.path("service", "broken.ts"), program);
	project.configure({ release: "1.4.0", serviceEntry: "service/broken.ts", readyTimeoutSeconds: 2 });

	const { result: failed, failures } = await underLoad(`${project.url}/cameras`, () => project.up());

	assert.deepEqual(failures, []);
	project.configure({ readyTimeoutSeconds: undefined });
	assertClearFailure(failed);
	assert.match(failed.output, /automatic rollback: undid 1\.4\.0, which this update had applied/);
	assert.deepEqual(await project.appliedInTarget(), BASE_VERSIONS);
	assert.deepEqual(await lastDeployment(project), {
		release: "1.4.0",
		status: "rolled_back",
		rollback: "automatic",
		previous: "1.4.0",
		target: "1.3.0",
		outcome: "completed",
	});
	assert.equal(await liveRelease(project), "1.3.0");
	assert.ok(serving.every((pid) => project.running().service.includes(pid)));
	return failed;
}

/** A service that answers as a release, whose /readyz has this status. */
function answering(release: string, status: number): string {
	return `
		import { createServer } from "node:http";
		createServer((request, response) => {
			response.statusCode = request.url === "/readyz" ? ${status} : 200;
			response.end(JSON.stringify({ instance: process.env.INSTANCE, release: "${release}" }));
		}).listen(Number(process.env.PORT), process.env.HOST, () => console.log("listening"));
	`;
}

async function putBack(project: DeployedProject, ...files: string[]): Promise<void> {
	project.configure({ release: "1.3.0", serviceEntry: undefined });
	await project.mustUp();
	for (const file of files) {
		project.removeMigration(file);
	}
}

async function liveRelease(project: DeployedProject): Promise<string> {
	const reply = await fetch(`${project.url}/version`, { signal: AbortSignal.timeout(5000) });
	return ((await reply.json()) as { release: string }).release;
}

async function lastDeployment(project: DeployedProject): Promise<unknown> {
	const [row] = await project.catalog(
		`SELECT pipeline_version AS release, status, rollback_type AS rollback, previous_version AS previous,
			target_version AS target, rollback_status AS outcome
		FROM deployment_pipelines JOIN deployment_rollbacks ON pipeline_id = deployment_pipelines.id
		ORDER BY deployment_pipelines.id DESC LIMIT 1`,
	);
	return row;
}
