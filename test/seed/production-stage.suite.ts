import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { plannedStages } from "../../components/pipeline/stage-list";
import { environmentDefaults } from "../../components/settings/environments";
import { finished, query, type TestProject } from "../support/project";
import { FAILED, useDevelopment } from "./development";
import { liveDatabase, NEW_RELEASE, PUT_BACK, RAISED, useStaging, WITHDRAWN } from "./staging";

/** Its strategy, shown on a stack that has it. */
describe("the production stage", () => {
	const staging = useStaging();
	const development = useDevelopment();

	/** The steps of a deployment that are not those of migrations, in their order. */
	async function stepsOf(deploymentId: number): Promise<string[]> {
		const rows = await staging().project.catalog<{ step: string }>(
			`SELECT execution_step AS step FROM deployment_execution_logs
			WHERE deployment_id = $1 AND migration_id IS NULL ORDER BY id`,
			[deploymentId],
		);
		return rows.map(({ step }) => step);
	}

	it("blue-green deployment: the live database is copied and the copy compared, while clients write", async () => {
		const steps = await stepsOf(RAISED);
		const copied = ["green-2: schema", "green-2: copy", "green-2: verify", "green-2: catch up"];
		assert.deepEqual(
			steps.filter((step) => copied.includes(step)),
			copied,
		);
		assert.ok(staging().raised.traffic.acknowledged.length > 100);
	});

	it("blue-green deployment: the schema is migrated on the copy and not on the live database", async () => {
		const { raised } = staging();
		assert.deepEqual(raised.standing.colors.blue?.versions.at(-1), "1.3.1");
		assert.deepEqual(raised.standing.colors.green?.versions.at(-1), "1.5.1");
	});

	it("blue-green deployment: data is kept in sync both ways, so that no acknowledged write is missing", async () => {
		const { project, raised, putBack } = staging();
		const { run, acknowledged } = raised.traffic;
		const held = (database: string) =>
			project
				.superuser(database)
				.then((connection) =>
					query<{ name: string }>(
						connection,
						"SELECT count_type AS name FROM counting_results WHERE starts_with(count_type, $1) ORDER BY 1",
						[`${run}-`],
					),
				);
		const rows = await held(liveDatabase(project, putBack.standing));
		assert.deepEqual(
			rows.map(({ name }) => name),
			[...acknowledged].sort(),
		);
	});

	it("health checks: the health of the database and of what serves it is told at any time", async () => {
		const { project } = staging();
		const { code, stdout, output } = await finished(
			project.start(["--stack", project.stack, "--json"], {}, "health.ts"),
		);
		const { releases } = JSON.parse(stdout) as { releases: { live: boolean; checks: { check: string }[] }[] };
		assert.equal(code, 0, output);
		assert.deepEqual(
			releases.find(({ live }) => live)?.checks.map(({ check }) => check),
			[
				"database_connectivity",
				"api_endpoints",
				"performance",
				"replication_lag",
				"connections",
				"migrations",
			],
		);
	});

	it("health checks: performance is monitored while the release has the traffic, which goes back when it is bad", async () => {
		const { withdrawn } = staging();
		assert.notEqual(withdrawn.traffic.result.code, 0);
		assert.match(
			withdrawn.traffic.result.output,
			/did not stand its bake \(\d of 3 s\): \d+ of \d+ requests failed \([\d.]+ %\), at most 1 % may/,
		);
	});

	it("health checks: there are alerts for what goes wrong", () => {
		const { groups } = parse(readFileSync(join(__dirname, "..", "..", "monitoring", "alerts.yml"), "utf8"));
		const alerts = groups.flatMap(({ rules }: { rules: { alert: string }[] }) =>
			rules.map(({ alert }) => alert),
		);
		for (const wanted of [
			"DeploymentFailed",
			"DeploymentRolledBack",
			"HealthCheckFailed",
			"ReplicationLagHigh",
		]) {
			assert.ok(alerts.includes(wanted), wanted);
		}
	});

	it("traffic switch: the load balancer moves at one address, and no client notices", async () => {
		const { raised } = staging();
		assert.deepEqual(raised.traffic.failures, []);
		assert.match(
			raised.traffic.result.output,
			/traffic moved from blue-1 to green-2; requests waited [\d.]+ ms/,
		);
		const moved = (await stepsOf(RAISED)).filter((step) => step.startsWith("cutover: "));
		assert.ok(moved.indexOf("cutover: close") < moved.indexOf("cutover: route"));
	});

	it("traffic switch: the cache is purged, so that a colour gives no answer from before it was switched from", () => {
		const { raised, putBack } = staging();
		assert.deepEqual(raised.totals.before, { cache: "hit", total: 5 });
		assert.deepEqual([raised.totals.after.total, raised.totals.stored], [12, 12]);
		assert.equal(putBack.totals.total, 12);
	});

	it("rollback procedures: an update that fails is rolled back by itself", async () => {
		const types = (deploymentId: number, project: TestProject) =>
			project.catalog(
				`SELECT DISTINCT rollback_type AS type, rollback_status AS status FROM deployment_rollbacks WHERE pipeline_id = ${deploymentId}`,
			);
		assert.deepEqual(await types(FAILED, development().project), [
			{ type: "automatic", status: "completed" },
		]);
		assert.deepEqual(await types(WITHDRAWN, staging().project), [
			{ type: "health_check_failure", status: "completed" },
		]);
	});

	it("rollback procedures: one command puts the release before back", async () => {
		const { putBack } = staging();
		assert.equal(putBack.result.code, 0);
		assert.match(
			putBack.result.output,
			new RegExp(`staging goes back from release ${NEW_RELEASE} to 1\\.3\\.1`),
		);
		assert.equal(putBack.standing.live, "blue");
		assert.ok((await stepsOf(PUT_BACK)).every((step) => step.startsWith("cutover: ")));
		const { project } = staging();
		const restored = await finished(
			project.start(["-s", project.stack, project.path("package.json")], {}, "restore.ts"),
		);
		assert.equal(restored.code, 1);
		assert.match(restored.output, /deployed blue-green, where going back destroys nothing/);
	});

	it("rollback procedures: data that an undone migration destroyed is recovered from what was saved before", () => {
		const { putBack, zones } = development();
		assert.equal(putBack.backups.length, 1);
		assert.deepEqual(zones, { raisedAgain: null, restored: 7 });
	});

	it("is blue-green with health checks and integration tests before the traffic moves", () => {
		const names = plannedStages("blue-green", environmentDefaults.production.stages).map(({ name }) => name);
		const order = [
			"Build Database Schema",
			"Deploy to Environment",
			"Health Checks",
			"Integration Tests",
			"Switch Traffic",
		];
		assert.deepEqual(
			names.filter((name) => order.includes(name)),
			order,
		);
	});
});
