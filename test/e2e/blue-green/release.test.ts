import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { BlueGreenProject } from "../../support/blue-green-project";
import { BASE_VERSIONS, sections } from "../../support/deployed-project";
import { onEachEngine } from "../../support/engines";
import { finished } from "../../support/project";
import { assertUnharmed, underTraffic } from "../../support/traffic";

const BLUE_1 = { generation: 1, release: "1.2.0", versions: BASE_VERSIONS.slice(0, 3) };
const GREEN_2 = { generation: 2, release: "1.3.0", versions: BASE_VERSIONS };
const BLUE_3 = { generation: 3, release: "1.4.0", versions: [...BASE_VERSIONS, "1.4.0"] };

onEachEngine("a blue-green stack", (engine) => {
	let project: BlueGreenProject;

	before(async () => {
		project = new BlueGreenProject(engine, { release: "1.2.0" });
		await project.init();
	});

	after(() => project.discard());

	it("is brought up, released, put back, raised again, released anew, rolled back and destroyed under traffic", async function () {
		this.timeout(900_000);
		await comesUp(project);
		await releasesToGreen(project);
		await isPutBack(project);
		await takesThatBack(project);
		await dropsTheFirstColor(project);
		await goesBackByCommand(project);
		await isWatched(project);
		await isDestroyed(project);
	});
});

async function comesUp(project: BlueGreenProject): Promise<void> {
	const preview = await project.must("preview", "-s", "staging");
	assert.match(preview.output, /builds blue-1 with release 1\.2\.0 and gives it the traffic/);
	assert.match(preview.output, /apply 1\.2\.0 create_counting_results_table/);
	await project.mustUp();
	await project.assertColors({ live: "blue", colors: { blue: BLUE_1 }, nextGeneration: 2 });
	assert.deepEqual(await deployments(project), ["1.2.0 completed"]);
	const processes = project.processes().sort();

	const again = await project.up();

	assert.equal(again.code, 0, again.output);
	assert.doesNotMatch(again.output, /builds|applied|created|updated/);
	assert.deepEqual(project.processes().sort(), processes);
	assert.deepEqual(await deployments(project), ["1.2.0 completed"]);
}

async function releasesToGreen(project: BlueGreenProject): Promise<void> {
	const output = await release(
		project,
		"1.3.0",
		/builds green-2 with release 1\.3\.0 from a copy of blue-1[\s\S]*applies there: 1\.3\.0 add_performance_indexes[\s\S]*then moves the traffic to green-2; blue-1 keeps release 1\.2\.0, in step, to go back to/,
	);
	assert.match(output, /traffic moved from blue-1 to green-2; requests waited [\d.]+ ms/);
	assert.match(output, /stood its bake of 1 s: \d+ requests, 0 failed/);
	await project.assertColors({ live: "green", colors: { blue: BLUE_1, green: GREEN_2 }, nextGeneration: 3 });
	assert.deepEqual(await project.lastDeployment(), completed("1.3.0"));
	assert.deepEqual(await project.lastSteps(), [...copySteps("green-2"), ...CUTOVER_STEPS]);
}

async function isPutBack(project: BlueGreenProject): Promise<void> {
	const output = await release(
		project,
		"1.2.0",
		/moves the traffic back to blue-1, which holds release 1\.2\.0[\s\S]*green-2 keeps release 1\.3\.0, in step, to go back to/,
	);
	assert.match(output, /traffic moved from green-2 to blue-1/);
	await project.assertColors({ live: "blue", colors: { blue: BLUE_1, green: GREEN_2 }, nextGeneration: 3 });
	assert.deepEqual(await project.lastDeployment(), {
		release: "1.2.0",
		status: "completed",
		rollback: "manual",
		previous: "1.3.0",
		target: "1.2.0",
		outcome: "completed",
	});
	assert.deepEqual(await project.lastSteps(), CUTOVER_STEPS);
}

async function takesThatBack(project: BlueGreenProject): Promise<void> {
	const services = project.running().service.sort();
	await release(project, "1.3.0", /moves the traffic back to green-2, which holds release 1\.3\.0/);
	await project.assertColors({ live: "green", colors: { blue: BLUE_1, green: GREEN_2 }, nextGeneration: 3 });
	assert.deepEqual(project.running().service.sort(), services);
	assert.deepEqual(await project.lastDeployment(), completed("1.3.0"));
	assert.deepEqual(await project.lastSteps(), CUTOVER_STEPS);
}

async function dropsTheFirstColor(project: BlueGreenProject): Promise<void> {
	project.migration(
		"1.4.0_add_zones.sql",
		sections({
			up: "ALTER TABLE cameras ADD COLUMN zone int NOT NULL DEFAULT 7;\nCREATE TABLE zones (id int PRIMARY KEY);",
			down: "DROP TABLE zones;\nALTER TABLE cameras DROP COLUMN zone;",
		}),
	);
	await release(
		project,
		"1.4.0",
		/builds blue-3 with release 1\.4\.0 from a copy of green-2[\s\S]*applies there: 1\.4\.0 add_zones[\s\S]*drops blue-1 with release 1\.2\.0 at the end/,
	);
	const standing = {
		live: "blue",
		colors: { blue: BLUE_3, green: GREEN_2 },
		nextGeneration: 4,
	} as const;
	await project.assertColors(standing);
	assert.deepEqual(await project.lastDeployment(), completed("1.4.0"));
	assert.deepEqual(await project.lastSteps(), [...copySteps("blue-3"), ...CUTOVER_STEPS]);
	const zones = await project.onColor(standing, "blue", "SELECT DISTINCT zone FROM cameras");
	assert.deepEqual(zones, [{ zone: 7 }]);
}

async function goesBackByCommand(project: BlueGreenProject): Promise<void> {
	const traffic = await underTraffic(project, () =>
		finished(project.start(["--stack", "staging"], {}, "rollback.ts")),
	);
	assert.equal(traffic.result.code, 0, traffic.result.output);
	assert.match(traffic.result.output, /staging goes back from release 1\.4\.0 to 1\.3\.0/);
	await assertUnharmed(project, traffic);
	await project.assertColors({ live: "green", colors: { blue: BLUE_3, green: GREEN_2 }, nextGeneration: 4 });
}

async function isWatched(project: BlueGreenProject): Promise<void> {
	const { stdout, output } = await finished(project.start(["-s", "staging", "--json"], {}, "status.ts"));
	const { status, links, faults } = JSON.parse(stdout);
	assert.deepEqual(faults, [], output);
	assert.deepEqual(
		[status.release, status.traffic.live, status.traffic.rollbackTriggered, status.rollbacks[0].type],
		["1.3.0", "green", true, "manual"],
	);
	assert.deepEqual(
		status.colors.map(({ color, isLive, generation, release: held }: Record<string, unknown>) => [
			color,
			isLive,
			generation,
			held,
		]),
		[
			["green", true, 2, "1.3.0"],
			["blue", false, 3, "1.4.0"],
		],
	);
	assert.deepEqual(
		links.map(({ from, to, active }: Record<string, unknown>) => [from, to, active]),
		[
			[2, 3, true],
			[3, 2, true],
		],
	);
	const metrics = await finished(project.start(["--stack", "staging", "--once"], {}, "metrics.ts"));
	assert.equal(metrics.code, 0, metrics.output);
	assert.match(metrics.stdout, /^deployment_catalog_up 1$/m);
	assert.match(
		metrics.stdout,
		/^deployment_color_live\{color="green",release="1\.3\.0",database="counting_staging_green_2"\} 1$/m,
	);
	assert.match(
		metrics.stdout,
		/^deployment_replication_slot_active\{link="counting_staging_2_to_3",from="green-2",to="blue-3",direction="from_live"\} 1$/m,
	);
}

async function isDestroyed(project: BlueGreenProject): Promise<void> {
	await project.must("destroy", "--yes", "--skip-preview", "-s", "staging");
	assert.deepEqual(project.processes(), []);
	assert.equal(existsSync(project.local()), false);
	const { stdout } = await project.must("stack", "export", "-s", "staging");
	assert.deepEqual(JSON.parse(stdout).deployment.resources ?? [], []);
}

/** Previews a release, deploys it under traffic, and sees that no client noticed. Returns what the update told. */
async function release(project: BlueGreenProject, version: string, plan: RegExp): Promise<string> {
	project.configure({ release: version });
	const preview = await project.must("preview", "-s", "staging");
	assert.match(preview.output, plan);
	const traffic = await underTraffic(project, () => project.up());
	assert.equal(traffic.result.code, 0, traffic.result.output);
	await assertUnharmed(project, traffic);
	return traffic.result.output;
}

async function deployments(project: BlueGreenProject): Promise<string[]> {
	const rows = await project.catalog<{ deployment: string }>(
		"SELECT pipeline_version || ' ' || status AS deployment FROM deployment_pipelines ORDER BY id",
	);
	return rows.map(({ deployment }) => deployment);
}

const CUTOVER_STEPS = [
	"guard",
	"way back",
	"hold",
	"close",
	"last write",
	"keep closed",
	"open",
	"route",
	"release",
].map((step) => `cutover: ${step}`);

function copySteps(node: string): string[] {
	return [
		"clear",
		"schema",
		"preflight",
		"identities",
		"publication",
		"truncate",
		"drop indexes",
		"slot",
		"copy",
		"verify",
		"indexes",
		"analyze",
		"subscription",
		"catch up",
	].map((step) => `${node}: ${step}`);
}

function completed(release: string) {
	return { release, status: "completed", rollback: null, previous: null, target: null, outcome: null };
}
