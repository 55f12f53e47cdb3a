/** What a router sends requests to. */
export interface Target {
	/** What the router calls it. */
	targetGroup: string;
	url: string;
}

/** What a target has done since it was added to the router. */
export interface TrafficCounters {
	requests: number;
	/** Answers 5xx and requests that got none. */
	failures: number;
	/** Requests that took at most `leMs` milliseconds and more than the bucket before; null has no limit. */
	latencyBuckets: { leMs: number | null; count: number }[];
}

/** The router does not answer. */
export class RouterUnreachable extends Error {
	override readonly name = "RouterUnreachable";
}

/** What a cutover asks of the router in front of both colours, whatever the platform. */
export interface Router {
	/** Where requests go now. */
	active(): Promise<Target | undefined>;
	/**
	 * Whether what has the traffic answers. Left out where the resource of a service sees by itself that it has ended.
	 */
	answers?(): Promise<boolean>;
	/**
	 * Makes a target known and sees that it is healthy, without sending it anything.
	 *
	 * @throws Error when it does not become healthy in time
	 */
	prepare(target: Target, timeoutMs: number): Promise<void>;
	/**
	 * Makes new requests wait; answers when those in flight have ended or `waitForIdleMs` have passed.
	 *
	 * @param limits.timeoutMs milliseconds after which the hold ends by itself
	 */
	hold(limits: { timeoutMs: number; waitForIdleMs: number }): Promise<{ holdId: string; inFlight: number }>;
	/** Sends requests to a target that was prepared. */
	route(target: Target): Promise<void>;
	/** Lets the waiting requests go. */
	release(holdId: string): Promise<void>;
	/** Lets those go that an update has left waiting which was killed: nobody else is at work on the router now. */
	releaseForsaken(): Promise<void>;
	traffic(targetGroup: string): Promise<TrafficCounters>;
	/**
	 * The services of one generation of a colour that it could send requests to, the newest last.
	 *
	 * @param color such as `green-2`
	 */
	targetsOf(color: string): Promise<Target[]>;
}
