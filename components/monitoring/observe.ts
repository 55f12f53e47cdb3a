import { type Connection, withClient } from "../database/connection";
import type { StackAccess } from "../release/stack-access";
import { type DeploymentStatus, readDeploymentStatus } from "./deployment-status";
import { type ReplicationLink, readReplication } from "./replication";

/** What could be learned of a stack at one moment; what could not is told in `faults`. */
export interface Observation {
	status?: DeploymentStatus;
	/** Of the servers that answered. */
	links: ReplicationLink[];
	/** In words for the operator, without secrets. */
	faults: string[];
}

const SESSION = {
	applicationName: "deployment-monitoring",
	connectTimeoutMs: 3000,
	statementTimeoutMs: 5000,
	queryTimeoutMs: 6000,
};

/** Looks at a stack's catalog and at the replication of its servers. What does not answer within seconds is a fault. */
export async function observe(access: Pick<StackAccess, "catalog" | "servers">): Promise<Observation> {
	const [catalog, ...servers] = await Promise.allSettled([
		withClient(access.catalog, SESSION, readDeploymentStatus),
		...distinct(Object.values(access.servers)).map((server) => withClient(server, SESSION, readReplication)),
	]);
	const faults = [catalog, ...servers].flatMap((result) =>
		result.status === "rejected" ? [messageOf(result.reason)] : [],
	);
	return {
		...(catalog.status === "fulfilled" && { status: catalog.value }),
		links: servers.flatMap((result) => (result.status === "fulfilled" ? result.value : [])),
		faults,
	};
}

/** Both colours may live on one server. */
function distinct(servers: readonly Connection[]): Connection[] {
	return [...new Map(servers.map((server) => [`${server.host}:${server.port}`, server])).values()];
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
