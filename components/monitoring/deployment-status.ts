import type { ClientBase } from "pg";
import { z } from "zod";
import { COLORS } from "../replication/node";
import {
	type deploymentHealthSchema,
	type deploymentMetricsSchema,
	readDeploymentHealth,
	readDeploymentMetrics,
} from "./deployment-health";
import {
	colorRows,
	deploymentRows,
	environmentRow,
	healthCheckRows,
	migrationRows,
	releaseRow,
	rollbackRows,
	stageRows,
	trafficRow,
} from "./status-queries";

const instant = z.date().transform((date) => date.toISOString());
const number = z.coerce.number();
const colorSchema = z.enum(COLORS);

const environmentSchema = z.object({
	/** The stack's name. */
	stack: z.string(),
	type: z.string(),
	strategy: z.string().nullable(),
	platform: z.string().nullable(),
	monitoring: z.boolean(),
	alerting: z.boolean(),
});

const trafficSchema = z.object({
	live: colorSchema,
	status: z.enum(["idle", "deploying", "switching", "completed", "failed"]),
	switchStartedAt: instant.nullable(),
	switchCompletedAt: instant.nullable(),
	rollbackTriggered: z.boolean(),
});

const colorStatusSchema = z.object({
	color: colorSchema,
	isLive: z.boolean(),
	generation: number,
	/** Null where an older version of this project built it. */
	release: z.string().nullable(),
	database: z.string(),
	host: z.string(),
	port: number,
});

const migrationSchema = z.object({
	database: z.string(),
	version: z.string(),
	name: z.string(),
	type: z.string(),
	status: z.string(),
	isApplied: z.boolean(),
	appliedAt: instant.nullable(),
	durationMs: number.nullable(),
	error: z.string().nullable(),
});

const stageSchema = z.object({
	deploymentId: number,
	name: z.string(),
	order: number,
	type: z.string(),
	status: z.string(),
	startedAt: instant.nullable(),
	completedAt: instant.nullable(),
	durationMs: number.nullable(),
	output: z.string().nullable(),
	error: z.string().nullable(),
});

const deploymentSchema = z.object({
	id: number,
	name: z.string(),
	release: z.string(),
	environment: z.string(),
	status: z.enum(["pending", "running", "completed", "failed", "rolled_back"]),
	triggeredBy: z.string().nullable(),
	commit: z.string().nullable(),
	branch: z.string().nullable(),
	startedAt: instant.nullable(),
	completedAt: instant.nullable(),
	/** Until now while it runs; null before it has started. */
	seconds: number.nullable(),
	/** Null until it is finished. */
	performance: z.enum(["FAST", "NORMAL", "SLOW"]).nullable(),
	error: z.string().nullable(),
});

const rollbackSchema = z.object({
	id: number,
	deploymentId: number,
	type: z.string(),
	reason: z.string(),
	from: z.string().nullable(),
	to: z.string().nullable(),
	status: z.string(),
	startedAt: instant,
	completedAt: instant.nullable(),
	error: z.string().nullable(),
});

const healthCheckSchema = z.object({
	color: z.string().nullable(),
	check: z.string(),
	status: z.enum(["PASS", "WARNING", "FAIL"]),
	figure: number.nullable(),
	unit: z.string().nullable(),
	detail: z.string().nullable(),
	checkedAt: instant,
});

const takenSchema = z.object({ takenAt: instant });

export type DeploymentStage = Omit<z.output<typeof stageSchema>, "deploymentId">;
export type RecordedDeployment = z.output<typeof deploymentSchema> & { stages: DeploymentStage[] };

/** What is deployed in an environment, what is being done to it, and how the last deployments went. Ready for JSON. */
export interface DeploymentStatus {
	takenAt: string;
	environment: z.output<typeof environmentSchema>;
	/** That of the last deployment that succeeded; null before there was one. */
	release: string | null;
	/** Who has the requests; null for strategy `in-place`. */
	traffic: z.output<typeof trafficSchema> | null;
	/** The live one first; none for strategy `in-place`. */
	colors: z.output<typeof colorStatusSchema>[];
	/** Of the databases in use. */
	migrations: z.output<typeof migrationSchema>[];
	running: RecordedDeployment | null;
	/** The last ten, newest first. */
	deployments: RecordedDeployment[];
	/** The last ten, newest first. */
	rollbacks: z.output<typeof rollbackSchema>[];
	/** The newest result of each check of each colour. */
	healthChecks: z.output<typeof healthCheckSchema>[];
	/** Of the last 30 days. */
	metrics: z.output<typeof deploymentMetricsSchema>[];
	health: z.output<typeof deploymentHealthSchema>;
}

/**
 * Reads an environment's status from its catalog, all of it as of one moment.
 *
 * @param client in no transaction; one that may only read is enough
 * @throws Error when no update has reached the catalog yet
 */
export async function readDeploymentStatus(client: ClientBase): Promise<DeploymentStatus> {
	await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
	try {
		const status = await read(client);
		await client.query("COMMIT");
		return status;
	} catch (error) {
		await client.query("ROLLBACK").catch(() => {});
		throw error;
	}
}

async function read(client: ClientBase): Promise<DeploymentStatus> {
	const environment = environmentSchema.optional().parse(await environmentRow(client));
	if (environment === undefined) {
		throw new Error("the catalog has no environment yet: run an update of the stack first");
	}
	const traffic = trafficSchema.nullable().parse(await trafficRow(client));
	const colors = z.array(colorStatusSchema).parse(await colorRows(client));
	const found = z.array(deploymentSchema).parse(await deploymentRows(client));
	const stages = z.array(stageSchema).parse(
		await stageRows(
			client,
			found.map(({ id }) => id),
		),
	);
	const deployments = found.map((deployment) => ({
		...deployment,
		stages: stages
			.filter(({ deploymentId }) => deploymentId === deployment.id)
			.map(({ deploymentId: _, ...stage }) => stage),
	}));
	return {
		...takenSchema.parse((await client.query('SELECT now() AS "takenAt"')).rows[0]),
		environment,
		release: (await releaseRow(client))?.release ?? null,
		traffic,
		colors,
		migrations: z.array(migrationSchema).parse(await migrationRows(client)),
		running: deployments.find(({ status }) => status === "running" || status === "pending") ?? null,
		deployments,
		rollbacks: z.array(rollbackSchema).parse(await rollbackRows(client)),
		healthChecks: z.array(healthCheckSchema).parse(await healthCheckRows(client)),
		metrics: await readDeploymentMetrics(client),
		health: await readDeploymentHealth(client),
	};
}
