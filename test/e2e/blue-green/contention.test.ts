import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterRelease, BlueGreenProject } from "../../support/blue-green-project";
import { BASE_VERSIONS, kill, sections, sharedStack } from "../../support/deployed-project";
import { blockedUpdate, waitingFor } from "../../support/killed-update";
import { assertClearFailure } from "../../support/outcome";
import { assertNothingLost, assertUnharmed, underTraffic } from "../../support/traffic";

const FILE = "1.4.0_add_zones.sql";

/** Each test begins and ends with release 1.3.0 live. */
describe("a blue-green release that something else comes in the way of", () => {
	const stack = sharedStack(() => new BlueGreenProject("embedded"));

	it("excludes a second one, which does no harm", async () => {
		const project = stack();
		const before = await project.current();
		raise(project, "zones");

		const traffic = await underTraffic(project, async () => {
			const first = await blockedUpdate(project, beforeTheCopy);
			const second = await project.up();
			assertClearFailure(second);
			assert.match(second.output, /the stack is currently locked by 1 lock\(s\)/);
			return first.unblock();
		});

		assert.equal(traffic.result.code, 0, traffic.result.output);
		await assertUnharmed(project, traffic);
		await project.assertColors(afterRelease(before, "1.4.0", [...BASE_VERSIONS, "1.4.0"]));
		assert.deepEqual(
			await project.catalog(
				"SELECT count(*)::int AS n FROM deployment_pipelines WHERE pipeline_version = '1.4.0'",
			),
			[{ n: 1 }],
		);
		await putBack(project);
	});

	it("fails when the gateway is killed meanwhile; the next update brings it back and goes on", async () => {
		const project = stack();
		const before = await project.current();
		raise(project, "lanes");

		const traffic = await underTraffic(project, async () => {
			const update = await blockedUpdate(project, beforeTheCopy);
			for (const pid of project.running().gateway) {
				kill(pid);
			}
			return update.unblock();
		});

		assertClearFailure(traffic.result);
		assert.match(traffic.result.output, /traffic to \w+-\d+ \(release 1\.4\.0\): /);
		await assertNothingLost(project, traffic);

		await project.mustUp();
		await project.assertColors(afterRelease(before, "1.4.0", [...BASE_VERSIONS, "1.4.0"]));
		await assertNothingLost(project, traffic);
		await putBack(project);
	});

	it("is refused before anything happens when it contradicts what is live", async () => {
		const project = stack();
		const before = await project.current();
		const file = "1.1.0_add_camera_metadata.sql";
		const original = readFileSync(project.path("migrations", file), "utf8");
		project.migration(file, original.replace("DEFAULT '{}'", "DEFAULT '[]'"));
		raise(project, "gates");
		const deployments = await project.catalog("SELECT * FROM deployment_pipelines ORDER BY id");

		const changed = await project.up();

		assertClearFailure(changed);
		assert.match(
			changed.output,
			/migration 1\.1\.0 add_camera_metadata: its file was changed since release 1\.3\.0 went live on \w+-\d+; put it back as it was and write the change as a new migration/,
		);
		project.removeMigration(file);
		const missing = await project.up();
		assertClearFailure(missing);
		assert.match(
			missing.output,
			/migration 1\.1\.0 add_camera_metadata belongs to release 1\.3\.0, which is live on \w+-\d+, but its file is gone; put it back/,
		);

		project.migration(file, original);
		project.removeMigration(FILE);
		project.configure({ release: "1.3.0" });
		assert.deepEqual(await project.catalog("SELECT * FROM deployment_pipelines ORDER BY id"), deployments);
		await project.assertColors(before);
	});
});

/** When the new colour's database is there and its copy is about to begin. */
const beforeTheCopy = waitingFor(
	"counting_staging_catalog",
	"LOCK TABLE blue_green_deployments IN ACCESS EXCLUSIVE MODE",
);

/** @param table one that no other test's release 1.4.0 has: what a colour still holds would not be built again */
function raise(project: BlueGreenProject, table: string): void {
	project.migration(
		FILE,
		sections({ up: `CREATE TABLE ${table} (id int PRIMARY KEY);`, down: `DROP TABLE ${table};` }),
	);
	project.configure({ release: "1.4.0" });
}

async function putBack(project: BlueGreenProject): Promise<void> {
	project.configure({ release: "1.3.0" });
	await project.mustUp();
	project.removeMigration(FILE);
}
