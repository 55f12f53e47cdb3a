import assert from "node:assert/strict";
import { loadMigrations } from "../../components/migrations/files";
import { runningIn } from "../../components/migrations/seed-data";
import { query } from "../support/project";
import { stagesOf, stageThatRan, testsOf } from "./stage-record";
import { liveDatabase, NEW_RELEASE, RAISED, useStaging } from "./staging";

describe("the staging stage", () => {
	const staging = useStaging();

	/** What the migration set of a database in the catalog says of some of them. */
	const migrationsOf = (database: string) =>
		staging().project.catalog(
			`SELECT migration_version AS version, migration_type AS type, status FROM deployment_migrations
			WHERE target_database = $1 ORDER BY id`,
			[database],
		);

	it("build: every migration of the release is applied, and no other", async () => {
		const { project, raised, first } = staging();
		const live = raised.standing.colors[raised.standing.live];
		const versions = ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.3.1", "1.4.0", "1.5.0", "1.5.1"];
		assert.deepEqual([live?.release, live?.versions], [NEW_RELEASE, versions]);
		assert.deepEqual(
			await migrationsOf(liveDatabase(project, first.standing)),
			versions.slice(0, 5).map((version) => ({
				version,
				type: version === "1.3.0" ? "index" : version === "1.3.1" ? "data" : "schema",
				status: "completed",
			})),
		);
	});

	it("build: seed data is written in the environments that it names, and never in production", async () => {
		const { project, first } = staging();
		assert.deepEqual(
			await query(
				await project.superuser(liveDatabase(project, first.standing)),
				"SELECT camera_name AS name FROM cameras WHERE camera_name = 'demo camera'",
			),
			[{ name: "demo camera" }],
		);
		const all = loadMigrations(project.path("migrations"));
		const seeded = (environment: "development" | "staging" | "production") =>
			runningIn(environment, all).some(({ name }) => name === "seed_cameras");
		assert.deepEqual(
			{
				development: seeded("development"),
				staging: seeded("staging"),
				production: seeded("production"),
			},
			{ development: true, staging: true, production: false },
		);
	});

	it("build: indexes are created, and valid", () => {
		assert.equal(staging().raised.indexIsValid, true);
	});

	it("deploy: databases are provisioned, one for each colour, one for the catalog and one for the queue", () => {
		assert.deepEqual(staging().raised.databases, [
			"counting_staging_blue_1",
			"counting_staging_catalog",
			"counting_staging_green_2",
			"counting_staging_queue",
		]);
	});

	it("deploy: the schema is brought up to date on the copy", async () => {
		const [build] = await stagesOf(staging().project, RAISED);
		assert.deepEqual([build?.name, build?.status], ["Build Database Schema", "completed"]);
		assert.match(
			build?.output ?? "",
			/copied \d+ rows of 2 tables .* from blue-1 to green-2[\s\S]*applied 1\.4\.0 add_ingested_batches[\s\S]*applied 1\.5\.0 tidy_cameras/,
		);
	});

	it("deploy: a data migration changes the rows that are there", () => {
		assert.equal(staging().raised.location, "unknown");
	});

	it("test: the release is tested from end to end at its own address before it gets the traffic", async () => {
		const stages = await stagesOf(staging().project, RAISED);
		const names = stages.map(({ name }) => name);
		assert.ok(stages.every(({ status }) => status === "completed"));
		assert.ok(names.indexOf("Integration Tests") < names.indexOf("Switch Traffic"));
		const tests = testsOf(await stageThatRan(staging().project, RAISED, "api-integration"));
		assert.ok(tests.includes(`release ${NEW_RELEASE} answers`));
		assert.ok(tests.includes("writes are refused before the colour has the traffic, to be tried again"));
	});

	it("test: a load test reads from the release", async () => {
		const stage = await stageThatRan(staging().project, RAISED, "load");
		assert.deepEqual([stage.type, stage.status], ["test", "completed"]);
		const [answered] = testsOf(stage);
		assert.match(answered ?? "", /^\d+ requests were answered$/);
	});

	it("test: acceptance tests that the stack file declares are run", async () => {
		const stages = await stagesOf(staging().project, RAISED);
		const found = stages.find(({ name }) => name === "Acceptance Tests");
		assert.equal(found?.status, "completed");
		assert.match(found.output, /^the operator sees [3-9] cameras$/);
	});

	it("validate: the load is judged by its latency and its errors", async () => {
		const [, latency, errors] = testsOf(await stageThatRan(staging().project, RAISED, "load"));
		assert.match(latency ?? "", /^the 99th percentile is \d+ ms$/);
		assert.equal(errors, "0 % of the requests failed");
	});

	it("validate: the release's security is tested", async () => {
		const stage = await stageThatRan(staging().project, RAISED, "security");
		assert.deepEqual([stage.type, stage.status], ["test", "completed"]);
	});

	it("validate: the environment's settings comply with its policy", async () => {
		const stage = await stageThatRan(staging().project, RAISED, "compliance");
		assert.deepEqual([stage.type, stage.status], ["validate", "completed"]);
		assert.deepEqual(testsOf(stage), [
			"monitoring of a staging environment: true",
			"debugMode of a staging environment: false",
			'backupSchedule of a staging environment: "daily"',
		]);
	});
});
