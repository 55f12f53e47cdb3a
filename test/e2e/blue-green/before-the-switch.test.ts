import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { linkName, nodeName, otherColor } from "../../../components/replication/node";
import { afterRelease, BlueGreenProject, type Standing } from "../../support/blue-green-project";
import { BASE_VERSIONS, sections, sharedStack } from "../../support/deployed-project";
import { assertClearFailure } from "../../support/outcome";
import type { CommandResult } from "../../support/project";
import { assertUnharmed, underTraffic } from "../../support/traffic";

const FILE = "1.4.0_change.sql";
const VERSIONS = [...BASE_VERSIONS, "1.4.0"];

/** Each test begins and ends with release 1.3.0 live. */
describe("a blue-green release that fails before the traffic moves", () => {
	const stack = sharedStack(() => new BlueGreenProject("embedded"));

	it("is refused with advice when a migration drops a column that the live release writes", async () => {
		const project = stack();
		const before = await project.current();
		project.migration(
			FILE,
			sections({
				up: "ALTER TABLE cameras DROP COLUMN location;",
				down: "ALTER TABLE cameras ADD COLUMN location varchar(255);",
			}),
		);
		project.configure({ release: "1.4.0" });
		const told = /1\.4\.0_change\.sql[\s\S]*location/;
		const preview = await project.pulumi("preview", "-s", "staging");
		assertClearFailure(preview);
		assert.match(preview.output, told);

		const failed = await failingUpdate(project, before);

		assert.match(failed.output, told);
		assert.match(failed.output, /the idle colour cannot be kept in step with the live one/);
		await assertNothingCopied(project, before);

		project.configure({ release: "1.3.0" });
		project.removeMigration(FILE);
		await project.mustUp();
		await project.assertColors(before, "failed");
	});

	it("is refused when the live schema was changed by hand, and goes through once that is taken back", async () => {
		const project = stack();
		const before = await project.current();
		await project.onColor(before, before.live, "ALTER TABLE cameras ADD COLUMN by_hand int");
		project.migration(FILE, addTable("zones"));
		project.configure({ release: "1.4.0" });

		const failed = await failingUpdate(project, before);

		assert.match(failed.output, /the live schema is not what its migrations make: .*by_hand/);
		await assertNothingCopied(project, before);

		await project.onColor(before, before.live, "ALTER TABLE cameras DROP COLUMN by_hand");
		await project.mustUp();
		await project.assertColors(afterRelease(before, "1.4.0", VERSIONS));
		await putBack(project);
	});

	it("leaves the live colour alone when a migration fails, and goes on from there once the file is mended", async () => {
		const project = stack();
		const before = await project.current();
		const broken = {
			up: "CREATE TABLE lines (id int);\nSELECT nonsense FROM lines;",
			down: "DROP TABLE lines;",
		};
		project.migration(FILE, sections(broken));
		project.configure({ release: "1.4.0" });

		const failed = await failingUpdate(project, before);

		assert.match(failed.output, /migration 1\.4\.0 change failed at migrations\/1\.4\.0_change\.sql:5/);
		assert.match(failed.output, /^\s+SELECT nonsense FROM lines;\n\s+\^$/m);

		project.migration(FILE, sections({ ...broken, up: "CREATE TABLE lines (id int PRIMARY KEY);" }));
		await project.mustUp();
		await project.assertColors(afterRelease(before, "1.4.0", VERSIONS));
		// Its rows were there already.
		assert.ok(!(await project.lastSteps()).some((step) => step.includes("copy")));
		await putBack(project);
	});

	it("drops the half-built colour with its slots when the release is put back", async () => {
		const project = stack();
		const before = await project.current();
		project.migration(FILE, addTable("lanes"));
		const failed = await updateWithService(project, before, `console.error("no driver"); process.exit(3);`);
		assert.match(
			failed.output,
			/service 1\.4\.0: the service 1\.4\.0-\w+ ended; last lines of .*\n\s*no driver/,
		);
		const { slots } = await project.inventory();
		assert.ok(slots.includes(linkName(...linkOfBuild(project, before))), slots.join());

		project.configure({ release: "1.3.0", serviceEntry: undefined });
		await project.mustUp();
		await project.assertColors(before, "idle");
		project.removeMigration(FILE);
	});

	it("waits in vain for a service that is not ready or too slow, and goes through with one that is", async () => {
		const project = stack();
		const before = await project.current();
		project.migration(FILE, addTable("gates"));
		const unready = await updateWithService(project, before, answering(503, 0));
		assert.match(
			unready.output,
			/was not ready within 2 s \(\/readyz answered 503 .*\); last lines of .*\n\s*listening/,
		);
		const slow = await updateWithService(project, before, answering(200, 4000));
		assert.match(
			slow.output,
			/was not ready within 2 s \(no answer on \/readyz\); last lines of .*\n\s*listening/,
		);

		project.configure({ serviceEntry: undefined, readyTimeoutSeconds: undefined });
		await project.mustUp();
		await project.assertColors(afterRelease(before, "1.4.0", VERSIONS));
		await putBack(project);
	});
});

/** Another release 1.4.0 for each test: what a colour still holds would not be built again. */
function addTable(table: string): string {
	return sections({ up: `CREATE TABLE ${table} (id int PRIMARY KEY);`, down: `DROP TABLE ${table};` });
}

/** An update under traffic that has to fail without a client noticing. */
async function failingUpdate(project: BlueGreenProject, before: Standing): Promise<CommandResult> {
	const traffic = await underTraffic(project, () => project.up());
	assertClearFailure(traffic.result);
	await assertUnharmed(project, traffic);
	await project.assertUntouched(before);
	assert.deepEqual(await project.lastDeployment(), {
		release: "1.4.0",
		status: "failed",
		rollback: null,
		previous: null,
		target: null,
		outcome: null,
	});
	assert.deepEqual(
		await project.catalog(
			"SELECT current_active AS live, deployment_status AS status FROM blue_green_deployments",
		),
		[{ live: before.live, status: "failed" }],
	);
	return traffic.result;
}

async function updateWithService(
	project: BlueGreenProject,
	before: Standing,
	program: string,
): Promise<CommandResult> {
	const name = `service/broken-${Math.trunc(performance.now())}.ts`;
	writeFileSync(project.path(name), program);
	project.configure({ release: "1.4.0", serviceEntry: name, readyTimeoutSeconds: 2 });
	const failed = await failingUpdate(project, before);
	project.configure({ readyTimeoutSeconds: undefined });
	return failed;
}

/** A service whose /readyz has this status, after so many milliseconds. */
function answering(status: number, delayMs: number): string {
	return `
		import { createServer } from "node:http";
		createServer((request, response) => {
			response.statusCode = request.url === "/readyz" ? ${status} : 200;
			const delay = request.url === "/readyz" ? ${delayMs} : 0;
			setTimeout(() => response.end(JSON.stringify({ instance: process.env.INSTANCE, release: "1.4.0" })), delay);
		}).listen(Number(process.env.PORT), process.env.HOST, () => console.log("listening"));
	`;
}

/** The preflight came before the copy: the new colour has a schema, no row, and nothing that keeps changes for it. */
async function assertNothingCopied(project: BlueGreenProject, before: Standing): Promise<void> {
	const node = nodeName(newNode(before));
	assert.deepEqual(await project.lastSteps(), [`${node}: clear`, `${node}: schema`, `${node}: preflight`]);
	const { slots, publications } = await project.inventory();
	const generation = `_${before.nextGeneration}`;
	assert.deepEqual(
		[...slots, ...publications].filter((name) => name.includes(generation)),
		[],
	);
	const { color } = newNode(before);
	const half = {
		...before,
		colors: { [color]: { generation: before.nextGeneration, release: "", versions: [] } },
	};
	assert.deepEqual(await project.onColor(half, color, "SELECT count(*)::int AS rows FROM cameras"), [
		{ rows: 0 },
	]);
}

function newNode({ live, nextGeneration }: Standing) {
	return { color: otherColor(live), generation: nextGeneration };
}

function linkOfBuild(project: BlueGreenProject, { live, colors, nextGeneration }: Standing) {
	const from = { base: project.base, generation: colors[live]!.generation };
	return [from, { generation: nextGeneration }] as const;
}

async function putBack(project: BlueGreenProject): Promise<void> {
	project.configure({ release: "1.3.0" });
	await project.mustUp();
	project.removeMigration(FILE);
}
