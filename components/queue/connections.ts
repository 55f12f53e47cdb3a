/** Connections to the queue that one service holds. */
const PER_SERVICE = 3;
/** The live one, one beside it that takes its place, the colour before, and one that is built. */
const MOST_SERVICES = 4;

/** Connections that all services of a stack may hold to its queue. */
export const QUEUE_CONNECTIONS = PER_SERVICE * MOST_SERVICES;
