import type { NewDeployment } from "../../components/catalog/deployments";
import { announceMigrations, type MigrationStep, writeSteps } from "../../components/catalog/migrations";
import type { DashboardBench } from "./bench";

/** A deployment of a release, as an update opens it. */
export function deploymentOf(release: string): NewDeployment {
	return {
		pipelineName: "counting",
		release,
		environment: "staging",
		triggeredBy: "operator",
		gitCommit: "1f0e3dad99908345f7439f8ffabdffc4b2c9a1d0",
		gitBranch: "main",
		config: {},
	};
}

/**
 * Writes migrations of a database as they are applied, one by one.
 *
 * @param meanwhile called while each of them runs
 */
export async function applyMigrations(
	{ client }: DashboardBench,
	database: string,
	deploymentId: number,
	versions: readonly string[],
	meanwhile: () => Promise<void>,
): Promise<void> {
	const ids = await announceMigrations(
		client,
		database,
		versions.map((version) => ({
			version,
			name: `change_${version.replaceAll(".", "_")}`,
			type: "schema",
			sql: "SELECT",
			rollbackSql: null,
			dependsOn: [],
			checksum: "0".repeat(64),
		})),
	);
	const at = new Date();
	const durationMs = 7;
	for (const migrationId of ids.values()) {
		const step = { migrationId, deploymentId, step: "migration_apply", at };
		const begun: MigrationStep = {
			...step,
			stepStatus: "started",
			migration: { status: "running", isApplied: false },
		};
		await writeSteps(client, [begun]);
		await meanwhile();
		const migration = { isApplied: true, appliedAt: at, appliedBy: "operator", durationMs };
		const done: MigrationStep = {
			...step,
			stepStatus: "completed",
			durationMs,
			migration: { ...migration, status: "completed" },
		};
		await writeSteps(client, [done]);
	}
}

/** Writes the stages that a deployment will go through. */
export async function planStages(
	{ client }: DashboardBench,
	deploymentId: number,
	names: readonly string[],
): Promise<void> {
	await client.query(
		`INSERT INTO deployment_stages (pipeline_id, stage_name, stage_order, stage_type)
		SELECT $1, name, nth, 'build' FROM unnest($2::text[]) WITH ORDINALITY AS stages (name, nth)`,
		[deploymentId, names],
	);
}

/** Writes what a stage has come to. */
export async function setStage(
	{ client }: DashboardBench,
	deploymentId: number,
	order: number,
	status: string,
	error?: string,
): Promise<void> {
	const isOver = status === "completed" || status === "failed";
	await client.query(
		`UPDATE deployment_stages SET status = $3, error_message = $4,
			started_at = CASE WHEN $5 OR $3 = 'running' THEN coalesce(started_at, clock_timestamp()) END,
			completed_at = CASE WHEN $5 THEN clock_timestamp() END, duration_ms = CASE WHEN $5 THEN 1234 END
		WHERE pipeline_id = $1 AND stage_order = $2`,
		[deploymentId, order, status, error ?? null, isOver],
	);
}
