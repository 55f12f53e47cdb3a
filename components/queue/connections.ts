/** Connections to the queue that each process of a service holds. */
const PER_PROCESS = 3;
/** The live one, one beside it that takes its place, the colour before, and one that is built. */
const MOST_SERVICES = 4;

/**
 * Connections that all services of a stack may hold to its queue.
 *
 * @param processes that each of them is at most
 */
export function queueConnections(processes: number): number {
	return PER_PROCESS * processes * MOST_SERVICES;
}
