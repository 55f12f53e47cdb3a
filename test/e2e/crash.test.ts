import assert from "node:assert/strict";
import { BASE_VERSIONS, DeployedProject, deployedStack, kill, sections } from "../support/deployed-project";
import { onCli } from "../support/engines";
import {
	afterStateWrites,
	blockedUpdate,
	killUpdate,
	type Victims,
	type WatchFor,
	waitingFor,
	whenServiceStarts,
	whenTrafficMoves,
} from "../support/killed-update";
import { underLoad } from "../support/load";
import { assertClearFailure } from "../support/outcome";

/** In the order of an update; each is where the one before it got to. */
const insideMigration = waitingFor("counting_dev", "LOCK TABLE cameras IN ROW EXCLUSIVE MODE");
const insideIndex = waitingFor("counting_dev", "LOCK TABLE counting_results IN ROW EXCLUSIVE MODE");
/** Every migration is committed; that the set as a whole is done is not. */
const afterMigrations = waitingFor("counting_dev", "SELECT FROM deployment.schema_state FOR UPDATE");

describe("an update that is killed, on the embedded engine", () => {
	describe("for the first time", () => {
		let project: DeployedProject;

		beforeEach(async () => {
			project = new DeployedProject("embedded");
			await project.init();
		});

		afterEach(() => project.discard());

		it("again and again between two writes of the state, ends where it should all the same", async function () {
			this.timeout(300_000);
			let kills = 0;
			for (let writes = 2; ; writes += 5) {
				const victims: Victims = kills % 2 === 0 ? "everything" : "engine";
				const result = await killUpdate(project, afterStateWrites(writes), victims);
				if (result !== undefined) {
					assert.equal(result.code, 0, result.output);
					break;
				}
				kills++;
			}
			assert.ok(kills >= 4, `${kills} kills`);
			await project.assertStanding("1.3.0", BASE_VERSIONS);
			await assertAppliedOnce(project, BASE_VERSIONS);
		});
	});

	describe("on a deployed stack", () => {
		const stack = deployedStack("embedded");

		it("at any step of a raise and of putting it back, loses no request and does nothing twice", async function () {
			this.timeout(300_000);
			const project = stack();
			const versions = addRelease(project);
			project.configure({ release: "1.4.0", lockRetries: 100 });
			const raise = await underLoad(`${project.url}/cameras`, async () => {
				await mustBeKilled(project, afterStateWrites(2), "engine");
				await mustBeKilled(project, insideMigration);
				await mustBeKilled(project, insideIndex, "engine");
				assert.deepEqual(await invalidIndexes(project), ["counting_results_value"]);
				await mustBeKilled(project, afterMigrations);
				await mustBeKilled(project, whenServiceStarts, "engine");
				await mustBeKilled(project, whenTrafficMoves);
				await project.mustUp();
			});
			assert.deepEqual(raise.failures, []);
			assert.deepEqual(await invalidIndexes(project), []);
			await project.assertStanding("1.4.0", [...BASE_VERSIONS, ...versions]);
			await assertAppliedOnce(project, versions);
			await assertInterrupted(project, 5);

			project.configure({ release: "1.3.0" });
			const back = await underLoad(`${project.url}/cameras`, async () => {
				await mustBeKilled(project, whenServiceStarts);
				await mustBeKilled(project, whenTrafficMoves, "engine");
				await mustBeKilled(project, insideMigration);
				await project.mustUp();
			});
			assert.deepEqual(back.failures, []);
			await project.assertStanding("1.3.0", BASE_VERSIONS);
			await assertInterrupted(project, 8);
			removeRelease(project);
		});

		it("when it has just moved the traffic, can be put back instead, without a failed request", async () => {
			const project = stack();
			addRelease(project);
			project.configure({ release: "1.4.0" });
			const { failures } = await underLoad(`${project.url}/cameras`, async () => {
				await mustBeKilled(project, whenTrafficMoves);
				project.configure({ release: "1.3.0" });
				await project.mustUp();
			});
			assert.deepEqual(failures, []);
			await project.assertStanding("1.3.0", BASE_VERSIONS);
			removeRelease(project);
		});
	});
});

describe("a process that is killed during an update", () => {
	const stack = deployedStack("embedded");

	it("fails the update when it is the server in the middle of a migration, and the next one converges", async () => {
		const project = stack();
		const versions = addRelease(project);
		project.configure({ release: "1.4.0", lockRetries: 100 });
		const { ended, unblock } = await blockedUpdate(project, insideMigration);
		for (const pid of project.running().server) {
			kill(pid);
		}
		const failed = await ended;
		await unblock();
		assertClearFailure(failed);
		assert.match(
			failed.output,
			/migrations: (migration 1\.3\.2 add_zone failed|the catalog cannot be written)/,
		);
		assert.match(failed.output, /no automatic rollback: cannot connect to/);

		await project.mustUp();
		await project.assertStanding("1.4.0", [...BASE_VERSIONS, ...versions]);
		await putBack(project);
	});

	it("fails the update when it is the gateway, and the next one converges, with a new service as well", async () => {
		const project = stack();
		const versions = addRelease(project);
		project.configure({ release: "1.4.0", lockRetries: 100 });
		const { unblock } = await blockedUpdate(project, insideMigration);
		for (const pid of [...project.running().gateway, ...project.running().service]) {
			kill(pid);
		}
		const failed = await unblock();
		assertClearFailure(failed);
		assert.match(failed.output, /automatic rollback: undid 1\.4\.0, 1\.3\.3, 1\.3\.2, 1\.3\.1/);
		assert.deepEqual(await project.appliedInTarget(), BASE_VERSIONS);

		await project.mustUp();
		await project.assertStanding("1.4.0", [...BASE_VERSIONS, ...versions]);
		await putBack(project);
	});
});

onCli("an update that is killed, on the Pulumi CLI", () => {
	const stack = deployedStack("cli");

	it("inside a migration, is followed by one that converges once its lock is cancelled", async () => {
		const project = stack();
		const versions = addRelease(project);
		project.configure({ release: "1.4.0", lockRetries: 100 });
		const { failures } = await underLoad(`${project.url}/cameras`, async () => {
			await mustBeKilled(project, insideMigration);
			await project.must("cancel", "--yes", "-s", "dev");
			await project.mustUp();
		});
		assert.deepEqual(failures, []);
		await project.assertStanding("1.4.0", [...BASE_VERSIONS, ...versions]);
		await assertInterrupted(project, 1);
		await putBack(project);
	});
});

/** Migrations of release 1.4.0: one that waits for no one, one that waits for writers, an index, and a last one. */
function addRelease(project: DeployedProject): string[] {
	for (const [file, content] of Object.entries(RELEASE)) {
		project.migration(file, content);
	}
	return Object.keys(RELEASE).map((file) => file.slice(0, "1.3.1".length));
}

const RELEASE = {
	"1.3.1_add_zones.sql": sections({
		up: "CREATE TABLE zones (id int PRIMARY KEY);",
		down: "DROP TABLE zones;",
	}),
	"1.3.2_add_zone.sql": sections({
		up: "ALTER TABLE cameras ADD COLUMN zone int;",
		down: "ALTER TABLE cameras DROP COLUMN zone;",
	}),
	"1.3.3_index_values.sql": sections({
		type: "index",
		stepwise: true,
		up: "CREATE INDEX CONCURRENTLY counting_results_value ON counting_results (count_value);",
		down: "DROP INDEX CONCURRENTLY IF EXISTS counting_results_value;",
	}),
	"1.4.0_add_areas.sql": sections({
		up: "CREATE TABLE areas (id int PRIMARY KEY);",
		down: "DROP TABLE areas;",
	}),
};

function removeRelease(project: DeployedProject): void {
	for (const file of Object.keys(RELEASE)) {
		project.removeMigration(file);
	}
	project.configure({ lockRetries: undefined });
}

async function putBack(project: DeployedProject): Promise<void> {
	project.configure({ release: "1.3.0" });
	await project.mustUp();
	removeRelease(project);
}

async function mustBeKilled(project: DeployedProject, watchFor: WatchFor, victims?: Victims): Promise<void> {
	const result = await killUpdate(project, watchFor, victims);
	assert.equal(result, undefined, `it ended before the moment came:\n${result?.output}`);
}

async function invalidIndexes(project: DeployedProject): Promise<string[]> {
	const rows = await project.database<{ name: string }>(
		"SELECT relname AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE NOT indisvalid",
	);
	return rows.map(({ name }) => name);
}

/** Each migration was told to be applied exactly once, by the run that did it or by the one that found it done. */
async function assertAppliedOnce(project: DeployedProject, versions: string[]): Promise<void> {
	const rows = await project.catalog(
		`SELECT migration_version AS version, count(*)::int AS times
		FROM deployment_execution_logs JOIN deployment_migrations ON deployment_migrations.id = migration_id
		WHERE step_status = 'completed' AND execution_step IN ('migration_complete', 'migration_reconcile')
			AND migration_version = ANY ($1)
		GROUP BY migration_version ORDER BY migration_version`,
		[versions],
	);
	assert.deepEqual(
		rows,
		versions.map((version) => ({ version, times: 1 })),
	);
}

/** So many deployments were closed by a later one because their update was gone. */
async function assertInterrupted(project: DeployedProject, count: number): Promise<void> {
	const rows = await project.catalog<{ status: string }>(
		"SELECT status FROM deployment_pipelines WHERE error_message = 'interrupted'",
	);
	assert.deepEqual(
		rows,
		Array.from({ length: count }, () => ({ status: "failed" })),
	);
}
