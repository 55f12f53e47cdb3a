/** What a process of a service has beside its pool: for its health, and to hear of a switch. */
const OTHER_CONNECTIONS = 2;
/** The service, and the one beside it that takes its place. */
const SIDE_BY_SIDE = 2;

/** Connections to its database that a service may hold, also while it is changed. */
export function poolConnections({
	tasks = 1,
	poolSize,
}: {
	tasks?: number | undefined;
	poolSize: number;
}): number {
	return SIDE_BY_SIDE * tasks * (poolSize + OTHER_CONNECTIONS);
}

/** The largest pool of each of a service's tasks whose connections are at most that many. */
export function largestPool(maxConnections: number, tasks: number): number {
	return Math.floor(maxConnections / (SIDE_BY_SIDE * tasks)) - OTHER_CONNECTIONS;
}
