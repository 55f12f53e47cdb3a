import assert from "node:assert/strict";
import { z } from "zod";
import { COLORS } from "../../../components/replication/node";
import { afterRelease, BlueGreenProject, type Standing } from "../../support/blue-green-project";
import { BASE_VERSIONS, sharedStack } from "../../support/deployed-project";
import { type CommandResult, finished } from "../../support/project";

const reportSchema = z.object({
	environment: z.string(),
	status: z.string(),
	releases: z.array(
		z.object({
			release: z.string(),
			color: z.string(),
			live: z.boolean(),
			checks: z.array(z.object({ check: z.string(), status: z.string() })),
		}),
	),
});

const CHECKS = [
	"database_connectivity",
	"api_endpoints",
	"performance",
	"replication_lag",
	"connections",
	"migrations",
];

describe("the health of a blue-green environment", () => {
	const stack = sharedStack(() => new BlueGreenProject("embedded"));

	it("is written down with each release, and asked for and refreshed at any time", async () => {
		const project = stack();
		const before = await project.current();
		project.addTable("1.4.0", "zones");
		project.configure({ release: "1.4.0" });
		await project.mustUp();
		const after = afterRelease(before, "1.4.0", [...BASE_VERSIONS, "1.4.0"]);
		await project.assertColors(after);
		// Before it gets the traffic, and once it has stood its bake.
		assert.deepEqual(
			await project.catalog(
				`SELECT color, check_name AS "check", count(*)::int AS times,
					bool_and(status <> 'FAIL' AND figure IS NOT NULL AND unit IS NOT NULL) AS measured
				FROM deployment_health_checks WHERE pipeline_id = (SELECT max(id) FROM deployment_pipelines)
				GROUP BY color, check_name ORDER BY min(id)`,
			),
			CHECKS.map((check) => ({ color: after.live, check, times: 2, measured: true })),
		);
		assert.deepEqual(
			await project.catalog(
				`SELECT result ->> 'check' AS "check", result ->> 'status' <> 'FAIL' AS healthy
				FROM blue_green_deployments, jsonb_array_elements(health_check_results) AS result`,
			),
			CHECKS.map((check) => ({ check, healthy: true })),
		);

		const healthy = await health(project);
		assert.equal(healthy.code, 0, healthy.output);
		assert.deepEqual(
			report(healthy).releases.map(({ checks, ...release }) => ({ ...release, checks: checks.length })),
			[
				{ release: "1.4.0", color: after.live, live: true, checks: CHECKS.length },
				{ release: "1.3.0", color: before.live, live: false, checks: CHECKS.length },
			],
		);
		await assertRefreshed(project, "unchanged");

		await stopLinks(project, after);
		const stopped = await health(project);
		assert.equal(stopped.code, 1, stopped.output);
		assert.equal(report(stopped).status, "FAIL");
		assert.deepEqual(
			report(stopped).releases.map(({ checks }) =>
				checks.filter(({ status }) => status === "FAIL").map(({ check }) => check),
			),
			[["replication_lag"], ["replication_lag"]],
		);
		await assertRefreshed(project, "unhealthy");

		await project.mustUp();
		await project.assertColors(after);
		assert.equal((await health(project)).code, 0);
		assert.equal((await finished(project.start([], { PULUMI_STACK: "" }, "health.ts"))).code, 2);
	});
});

/** Stops both links for good, as an error of the data does; a lost connection comes back by itself. */
async function stopLinks(project: BlueGreenProject, standing: Standing): Promise<void> {
	for (const color of COLORS) {
		const own = await project.onColor<{ name: string }>(
			standing,
			color,
			`SELECT subname AS name FROM pg_subscription
			WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
		);
		for (const { name } of own) {
			await project.onColor(standing, color, `ALTER SUBSCRIPTION ${name} DISABLE`);
		}
	}
}

function health(project: BlueGreenProject): Promise<CommandResult> {
	return finished(project.start(["--stack", project.stack, "--json"], {}, "health.ts"));
}

function report({ stdout }: CommandResult) {
	return reportSchema.parse(JSON.parse(stdout));
}

async function assertRefreshed(project: BlueGreenProject, found: "unchanged" | "unhealthy"): Promise<void> {
	const refreshed = await project.pulumi("refresh", "--yes", "--skip-preview", "-s", project.stack);
	assert.equal(refreshed.code, 0, refreshed.output);
	const warnings = refreshed.output.match(
		/Refreshed resource is in an unhealthy state:\n\s*\* FAIL replication_lag/g,
	);
	assert.equal(warnings?.length ?? 0, found === "unchanged" ? 0 : 2, refreshed.output);
}
