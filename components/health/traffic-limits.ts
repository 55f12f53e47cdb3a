import { describePercentile, type Percentile, percentile } from "./latency";
import type { Traffic, TrafficWatch } from "./traffic-watch";

export interface TrafficLimits {
	/** Of all requests. */
	maxErrorPercent: number;
	/** Of the 95th percentile. */
	maxLatencyMs: number;
}

/** Fewer requests say nothing about a share. */
export const JUDGED_REQUESTS = 20;
/** While more requests are to come, one or two failures are no verdict. */
const EARLY_FAILURES = 3;
const RECENT_MS = 10_000;
const LATENCY_SHARE = 0.95;

/**
 * What the traffic has done that it may not, with the figures; empty when nothing.
 *
 * @param over whether no more traffic is to come: then the whole is judged as it stands
 */
export function trafficFaults(watch: TrafficWatch, limits: TrafficLimits, over: boolean): string[] {
	const total = watch.total();
	const recent = watch.recent(RECENT_MS, JUDGED_REQUESTS);
	const errors =
		errorFault(total, limits, over ? 1 : EARLY_FAILURES) ??
		(recent && errorFault(recent, limits, EARLY_FAILURES, when(recent)));
	const latency =
		(over ? latencyFault(total, limits) : undefined) ??
		(recent && latencyFault(recent, limits, when(recent)));
	return [errors, latency].filter((fault) => fault !== undefined);
}

/** The 95th percentile of the requests; undefined when there were none. */
export function latencyOf({ latencyBuckets }: Traffic): Percentile | undefined {
	return percentile(latencyBuckets, LATENCY_SHARE);
}

function errorFault(
	traffic: Traffic,
	{ maxErrorPercent }: TrafficLimits,
	leastFailures: number,
	time = "",
): string | undefined {
	const { requests, failures } = traffic;
	const percent = (failures / Math.max(requests, 1)) * 100;
	// Where no request may fail, one failure is all that there is to wait for.
	const least = maxErrorPercent === 0 ? 1 : leastFailures;
	return requests >= JUDGED_REQUESTS && failures >= least && percent > maxErrorPercent
		? `${failures} of ${requests} requests${time} failed (${Number(percent.toFixed(1))} %), at most ${maxErrorPercent} % may`
		: undefined;
}

function latencyFault(traffic: Traffic, { maxLatencyMs }: TrafficLimits, time = ""): string | undefined {
	const found = latencyOf(traffic);
	const isAbove = found !== undefined && (found.more ? found.ms >= maxLatencyMs : found.ms > maxLatencyMs);
	return isAbove && traffic.requests >= JUDGED_REQUESTS
		? `the 95th percentile of the latency of ${traffic.requests} requests${time} is ${describePercentile(found)}, ` +
				`at most ${maxLatencyMs} ms are allowed`
		: undefined;
}

function when({ spanMs }: Traffic): string {
	return ` in the last ${Math.round(spanMs / 1000)} s`;
}
