import { hostname, userInfo } from "node:os";
import type { Client } from "pg";
import { takeSessionLock } from "../database/advisory-lock";
import { type Connection, connect } from "../database/connection";

/** The advisory lock that whoever deploys holds on the catalog; any constant that nothing else there uses. */
const DEPLOYMENT_LOCK = 4_871_002_366_216n;
/** How long a server may take to answer a statement that waits for nothing, in milliseconds. */
const SILENCE_MS = 10_000;

/** Another deployment of the same stack is under way. */
export class OtherDeploymentError extends Error {
	override readonly name = "OtherDeploymentError";
}

/**
 * Keeps everybody else from deploying the same stack, also where Pulumi's own lock does not: another backend, or
 * processes of an update whose engine was killed. It is a session on the catalog, so it ends with the process.
 */
export class DeploymentLock {
	private constructor(
		private readonly catalog: Connection,
		private readonly timeoutMs: number,
		private session: Client,
	) {}

	/**
	 * @param timeoutMs milliseconds to wait for another deployment
	 * @throws OtherDeploymentError naming the session that holds it, and since when
	 */
	static async take(catalog: Connection, timeoutMs: number): Promise<DeploymentLock> {
		return new DeploymentLock(catalog, timeoutMs, await openSession(catalog, timeoutMs));
	}

	/**
	 * Sees that it is still held, and takes it again when its session was lost, as with a server that was restarted.
	 *
	 * @throws OtherDeploymentError when another deployment has taken it meanwhile
	 */
	async confirm(): Promise<void> {
		try {
			await this.session.query("SELECT 1");
		} catch {
			await this.release();
			this.session = await openSession(this.catalog, this.timeoutMs);
		}
	}

	/** Can be repeated. */
	async release(): Promise<void> {
		await this.session.end().catch(() => {});
	}
}

async function openSession(catalog: Connection, timeoutMs: number): Promise<Client> {
	const who = `deployment by ${userInfo().username}, process ${process.pid} on ${hostname()}`;
	const session = await connect(catalog, { applicationName: who, queryTimeoutMs: SILENCE_MS });
	try {
		await session.query("SET idle_session_timeout = 0");
		const holder = await takeSessionLock(session, DEPLOYMENT_LOCK, timeoutMs);
		if (holder !== undefined) {
			throw new OtherDeploymentError(
				`another update works on this stack: its lock on ${catalog.database} was not free within ${timeoutMs} ms; ${holder}. ` +
					"Wait for its end, or end it, then run the update again",
			);
		}
	} catch (error) {
		await session.end();
		throw error;
	}
	return session;
}
