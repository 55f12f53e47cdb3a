import type { ClientBase } from "pg";
import { noteFailed } from "../catalog/blue-green";
import { closeAbandoned, closeDeployment, openDeployment, releaseBefore } from "../catalog/deployments";
import type { RollbackType } from "../catalog/rollbacks";
import { withCatalog } from "../catalog/session";
import { addStageOutput, completeStage, failStage, startStage } from "../catalog/stages";
import { MigrationError } from "../migrations/error";
import { undoDeployment } from "../migrations/run";
import { notifyDeployment } from "../monitoring/notify-deployment";
import type { DeploymentContext } from "./context";
import { DeploymentLock, OtherDeploymentError } from "./deployment-lock";
import { sourceOf } from "./source";
import { stageType } from "./stage-list";
import { StageOutput } from "./stage-output";

interface OpenDeployment {
	id: number;
	lock: DeploymentLock;
	/** How many steps are under way in each stage: a stage is done when none is left. */
	working: Map<string, number>;
	/** Steps under way in all: a failure ends the deployment, but not what else goes on at that moment. */
	steps: number;
	closed: boolean;
}

const APPLICATION = "deployment-pipeline";

/**
 * The deployment that this update is, for all providers of one update work in one process. A process starts a new one
 * when it is asked again after the last was closed.
 */
let open: Promise<OpenDeployment> | undefined;

/** The traffic could not be sent back to where it came from, so nothing that it now needs may be undone. */
export class StuckTraffic extends Error {
	override readonly name = "StuckTraffic";
}

/** The traffic had moved to the release and has gone back; that is on record as a rollback. */
export class TrafficReturned extends Error {
	override readonly name = "TrafficReturned";
}

/** Tells the operator a line, and the catalog, which keeps it as output of the stage. */
export type StageLog = (line: string) => void;

/**
 * Does one step of a stage of the deployment. The first step of an update opens the deployment in the catalog, and
 * keeps everybody else from deploying the stack until it is closed. When a step fails, so does its stage, those still to
 * come are skipped, the migrations that this update applied are undone and the deployment is closed as rolled back or
 * failed.
 *
 * @param stage where the step belongs; several steps may share one
 * @param step in the operator's words, for the error
 * @throws Error naming the step, its cause and what was undone; or who else deploys the stack
 */
export async function inStage<T>(
	context: DeploymentContext,
	stage: string,
	step: string,
	work: (deploymentId: number, log: StageLog) => Promise<T>,
	rollbackType: RollbackType = "automatic",
): Promise<T> {
	open ??= begin(context).catch((error) => {
		open = undefined;
		throw error;
	});
	const deployment = await open;
	const { id, lock } = deployment;
	const output = new StageOutput((text) =>
		withCatalog(context.catalog, APPLICATION, (client) => addStageOutput(client, id, stage, text)),
	);
	deployment.steps++;
	try {
		await lock.confirm();
		await enter(context, deployment, stage);
		const result = await work(id, (line) => {
			console.log(line);
			output.add(line);
		});
		await leave(context, deployment, stage, await output.end());
		return result;
	} catch (error) {
		open = undefined;
		deployment.closed = true;
		const rest = await output.end();
		// Whoever has taken the stack over has closed this deployment, and its migrations are no longer ours to undo.
		throw error instanceof OtherDeploymentError
			? error
			: await abandon(context, id, { stage, step, output: rest }, rollbackType, error);
	} finally {
		deployment.steps--;
		await unlock(deployment);
	}
}

/** Closes the update's deployment as completed. Does nothing when no step of this update opened one. */
export async function completeDeployment(context: DeploymentContext): Promise<void> {
	if (open === undefined) {
		return;
	}
	const deployment = await open;
	open = undefined;
	deployment.closed = true;
	const { id } = deployment;
	try {
		await withCatalog(context.catalog, APPLICATION, (client) =>
			closeDeployment(client, id, { status: "completed" }),
		);
	} finally {
		await unlock(deployment);
	}
	await notifyDeployment(context, id, { status: "completed" });
}

async function unlock({ lock, steps, closed }: OpenDeployment): Promise<void> {
	if (closed && steps === 0) {
		await lock.release();
	}
}

async function begin(context: DeploymentContext): Promise<OpenDeployment> {
	const lock = await DeploymentLock.take(context.catalog, context.migrations.advisoryLockTimeoutMs);
	try {
		return { id: await record(context), lock, working: new Map(), steps: 0, closed: false };
	} catch (error) {
		await lock.release();
		throw error;
	}
}

/** Opens the deployment in the catalog, and closes those whose updates died. */
async function record(context: DeploymentContext): Promise<number> {
	const { triggeredBy, commit, branch, author, changed } = await sourceOf(process.env, process.cwd());
	const deployment = {
		pipelineName: context.pipelineName,
		release: context.release,
		environment: context.environment,
		triggeredBy,
		...(commit !== undefined && { gitCommit: commit }),
		...(branch !== undefined && { gitBranch: branch }),
		config: {
			...context.settings,
			...context.migrations,
			...(author !== undefined && { commitAuthor: author }),
			...(changed !== undefined && { uncommittedChanges: changed.length > 0 }),
		},
	};
	const { interrupted, id } = await withCatalog(context.catalog, APPLICATION, async (client) => ({
		interrupted: await closeAbandoned(client, context.environment),
		id: await openDeployment(client, deployment, context.stages),
	}));
	for (const { id: lost, release, stage } of interrupted) {
		const where = stage === undefined ? "" : ` in "${stage}"`;
		console.log(
			`deployment ${lost} of release ${release} did not come to its end: it is on record as failed, interrupted${where}`,
		);
		void notifyDeployment(context, lost, { status: "failed", error: "interrupted" });
	}
	void notifyDeployment(context, id);
	return id;
}

async function enter(
	context: DeploymentContext,
	{ id, working }: OpenDeployment,
	stage: string,
): Promise<void> {
	working.set(stage, (working.get(stage) ?? 0) + 1);
	const type = context.stages.find(({ name }) => name === stage)?.type ?? stageType(stage);
	await withCatalog(context.catalog, APPLICATION, (client) => startStage(client, id, { name: stage, type }));
}

/** The step is done, whatever the catalog can be told of it: undoing it for want of a record would make things worse. */
async function leave(
	context: DeploymentContext,
	{ id, working }: OpenDeployment,
	stage: string,
	output: string,
): Promise<void> {
	const left = (working.get(stage) ?? 1) - 1;
	working.set(stage, left);
	try {
		await withCatalog(context.catalog, APPLICATION, (client) =>
			left === 0 ? completeStage(client, id, stage, output) : addStageOutput(client, id, stage, output),
		);
	} catch (error) {
		console.log(`the catalog could not be told that "${stage}" is done: ${messageOf(error)}`);
	}
}

interface FailedStep {
	stage: string;
	step: string;
	/** What the stage has said that is not written down yet. */
	output: string;
}

/** Writes the failure down, then undoes what the deployment did to the database. Returns the error to end the update with. */
async function abandon(
	context: DeploymentContext,
	deploymentId: number,
	{ stage, step, output }: FailedStep,
	type: RollbackType,
	cause: unknown,
): Promise<Error> {
	const reason = messageOf(cause);
	const told: string[] = [`${step}: ${reason}`];
	const tell = async (work: Parameters<typeof withCatalog<void>>[2]): Promise<string | undefined> => {
		try {
			await withCatalog(context.catalog, APPLICATION, work);
			return undefined;
		} catch (error) {
			return `the catalog could not be told: ${messageOf(error)}`;
		}
	};
	const failed = { name: stage, error: reason.slice(0, ERROR_LENGTH), output };
	const tellFailure = (client: ClientBase) => failStage(client, deploymentId, failed, firstLine(told[0]!));
	const untold = await tell(tellFailure);
	const undone = cause instanceof MigrationError ? [...cause.undone] : [];
	if (context.onFailure === "undo") {
		undone.push(...(await undo(context, deploymentId, { type, reason: firstLine(told[0]!), cause, told })));
	}
	const status = undone.length > 0 || cause instanceof TrafficReturned ? "rolled_back" : "failed";
	const left = await tell(async (client) => {
		if (untold !== undefined) {
			await tellFailure(client);
		}
		if (status === "rolled_back") {
			await closeDeployment(client, deploymentId, { status });
		}
		await noteFailed(client, context.environment);
	});
	told.push(...(left === undefined ? [] : [left]));
	await notifyDeployment(context, deploymentId, { status, error: firstLine(told[0]!) });
	return new Error(told.join("\n"), { cause });
}

/**
 * Undoes what the deployment applied to the live database, and tells of it.
 *
 * @returns the versions that were undone
 */
async function undo(
	context: DeploymentContext,
	deploymentId: number,
	failure: { type: RollbackType; reason: string; cause: unknown; told: string[] },
): Promise<string[]> {
	const { type, reason, cause, told } = failure;
	try {
		if (cause instanceof StuckTraffic) {
			throw new Error("nothing was undone, since the traffic stays");
		}
		const target = await withCatalog(context.catalog, APPLICATION, (client) =>
			releaseBefore(client, deploymentId),
		);
		const report = await undoDeployment({
			releases: { previous: context.release, ...(target !== undefined && { target }) },
			target: context.target,
			catalog: context.catalog,
			targetName: context.targetName,
			deploymentId,
			settings: context.migrations,
			backupDirectory: context.backupDirectory,
			log: console.log,
			reason,
			type,
		});
		if (report.undone.length > 0) {
			told.push(`automatic rollback: undid ${report.undone.join(", ")}, which this update had applied`);
			told.push(
				...report.backups.map(({ table, file, rows }) => `${rows} rows of ${table} are saved in ${file}`),
			);
		}
		return report.undone;
	} catch (error) {
		told.push(`no automatic rollback: ${messageOf(error)}`);
		return [];
	}
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

const REASON_LENGTH = 500;
const ERROR_LENGTH = 8000;

function firstLine(text: string): string {
	return (text.split("\n")[0] ?? "").slice(0, REASON_LENGTH);
}
