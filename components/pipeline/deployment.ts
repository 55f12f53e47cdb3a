import { execFileSync } from "node:child_process";
import { userInfo } from "node:os";
import { noteFailed } from "../catalog/blue-green";
import { closeAbandoned, closeDeployment, openDeployment } from "../catalog/deployments";
import type { RollbackType } from "../catalog/rollbacks";
import { type Connection, withClient } from "../database/connection";
import { MigrationError } from "../migrations/error";
import { undoDeployment } from "../migrations/run";
import { notifyDeployment } from "../monitoring/notify-deployment";
import type { DeploymentContext } from "./context";
import { DeploymentLock, OtherDeploymentError } from "./deployment-lock";

interface OpenDeployment {
	id: number;
	lock: DeploymentLock;
	/** Steps under way: a failure ends the deployment, but not what else goes on at that moment. */
	steps: number;
	closed: boolean;
}

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

/**
 * Does one step of a deployment. The first step of an update opens the deployment in the catalog, and keeps everybody
 * else from deploying the stack until it is closed. When a step fails, the migrations that this update applied are
 * undone and the deployment is closed as rolled back or failed.
 *
 * @param step in the operator's words, for the error
 * @throws Error naming the step, its cause and what was undone; or who else deploys the stack
 */
export async function inDeployment<T>(
	context: DeploymentContext,
	step: string,
	work: (deploymentId: number) => Promise<T>,
	rollbackType: RollbackType = "automatic",
): Promise<T> {
	open ??= begin(context).catch((error) => {
		open = undefined;
		throw error;
	});
	const deployment = await open;
	const { id, lock } = deployment;
	deployment.steps++;
	try {
		await lock.confirm();
		return await work(id);
	} catch (error) {
		open = undefined;
		deployment.closed = true;
		// Whoever has taken the stack over has closed this deployment, and its migrations are no longer ours to undo.
		throw error instanceof OtherDeploymentError
			? error
			: await abandon(context, id, step, rollbackType, error);
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
		await withCatalog(context.catalog, (client) => closeDeployment(client, id, { status: "completed" }));
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
		return { id: await enter(context), lock, steps: 0, closed: false };
	} catch (error) {
		await lock.release();
		throw error;
	}
}

async function enter(context: DeploymentContext): Promise<number> {
	const { interrupted, id } = await withCatalog(context.catalog, async (client) => ({
		interrupted: await closeAbandoned(client, context.environment),
		id: await openDeployment(client, {
			pipelineName: context.pipelineName,
			release: context.release,
			environment: context.environment,
			triggeredBy: process.env.GITHUB_ACTOR ?? process.env.GITLAB_USER_LOGIN ?? userInfo().username,
			gitCommit: git("rev-parse", "HEAD"),
			gitBranch: git("rev-parse", "--abbrev-ref", "HEAD"),
			config: { ...context.migrations },
		}),
	}));
	for (const lost of interrupted) {
		void notifyDeployment(context, lost, { status: "failed", error: "interrupted" });
	}
	void notifyDeployment(context, id);
	return id;
}

/** Undoes what the deployment did to the database and closes it. Returns the error to end the update with. */
async function abandon(
	context: DeploymentContext,
	deploymentId: number,
	step: string,
	type: RollbackType,
	cause: unknown,
): Promise<Error> {
	const reason = messageOf(cause);
	const told: string[] = [`${step}: ${reason}`];
	const undone = cause instanceof MigrationError ? [...cause.undone] : [];
	if (context.onFailure === "undo") {
		undone.push(...(await undo(context, deploymentId, { type, reason: firstLine(told[0]!), cause, told })));
	}
	const status = undone.length > 0 || cause instanceof TrafficReturned ? "rolled_back" : "failed";
	const error = firstLine(reason);
	try {
		await withCatalog(context.catalog, async (client) => {
			await closeDeployment(client, deploymentId, { status, error });
			await noteFailed(client, context.environment);
		});
	} catch (failure) {
		told.push(`the catalog could not be told: ${messageOf(failure)}`);
	}
	await notifyDeployment(context, deploymentId, { status, error });
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
		const report = await undoDeployment({
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

function withCatalog<T>(catalog: Connection, work: Parameters<typeof withClient<T>>[2]): Promise<T> {
	return withClient(catalog, { applicationName: "deployment-pipeline" }, work);
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

const REASON_LENGTH = 500;

function firstLine(text: string): string {
	return (text.split("\n")[0] ?? "").slice(0, REASON_LENGTH);
}

/** What git says of the project, or undefined outside a work tree or without git: the record then leaves it out. */
function git(...args: string[]): string | undefined {
	try {
		return execFileSync("git", args, {
			encoding: "utf8",
			stdio: ["ignore", "pipe", "ignore"],
			timeout: 5000,
		}).trim();
	} catch {
		return undefined;
	}
}
