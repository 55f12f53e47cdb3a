import {
	type CloudWatchClient,
	GetMetricDataCommand,
	type MetricDataQuery,
} from "@aws-sdk/client-cloudwatch";
import type { TrafficCounters } from "../routing";
import { answered } from "./answered";

export interface CountersOptions {
	/** As CloudWatch names it, `app/<name>/<id>`. */
	loadBalancer: string;
	targetGroupArn: string;
	/** When the target group got the traffic. */
	routedAt: Date;
	now: Date;
}

/** Upper limits of the latency buckets, in milliseconds; one more has no limit. */
const BUCKETS_MS = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
/** The load balancer reports once a minute. */
const PERIOD_SECONDS = 60;

/**
 * What the load balancer answers in place of a target that refuses, drops or does not answer a request (502, 504), and
 * where there is none (503). They are published for the load balancer as a whole, and for no target group.
 */
const OWN_ANSWERS = {
	502: "HTTPCode_ELB_502_Count",
	503: "HTTPCode_ELB_503_Count",
	504: "HTTPCode_ELB_504_Count",
};

/**
 * What a target group's targets have done, and left to the load balancer to answer, by the load balancer's metrics, which
 * have whole minutes only: the first one after the switch is the first that has no request of before. Of the latencies
 * CloudWatch counts those in a range by itself: its statistic is called a trimmed count.
 */
export async function countersSince(
	client: CloudWatchClient,
	{ loadBalancer, targetGroupArn, routedAt, now }: CountersOptions,
): Promise<TrafficCounters> {
	const minute = PERIOD_SECONDS * 1000;
	const start = new Date(Math.ceil(routedAt.getTime() / minute) * minute);
	if (start >= now) {
		return { requests: 0, failures: 0, latencyBuckets: [] };
	}
	const all = [{ Name: "LoadBalancer", Value: loadBalancer }];
	const ofGroup = [
		...all,
		{ Name: "TargetGroup", Value: targetGroupArn.slice(targetGroupArn.indexOf("targetgroup/")) },
	];
	const query = (Id: string, MetricName: string, Stat: string, Dimensions = ofGroup): MetricDataQuery => ({
		Id,
		MetricStat: {
			Metric: { Namespace: "AWS/ApplicationELB", MetricName, Dimensions },
			Period: PERIOD_SECONDS,
			Stat,
		},
	});
	const ranges = [...BUCKETS_MS, null].map((leMs, index) => ({ leMs, aboveMs: BUCKETS_MS[index - 1] ?? 0 }));
	const reply = await answered("CloudWatch", () =>
		client.send(
			new GetMetricDataCommand({
				StartTime: start,
				EndTime: now,
				MetricDataQueries: [
					query("requests", "RequestCount", "Sum"),
					query("failures", "HTTPCode_Target_5XX_Count", "Sum"),
					query("unconnected", "TargetConnectionErrorCount", "Sum"),
					...Object.entries(OWN_ANSWERS).map(([status, name]) => query(`own${status}`, name, "Sum", all)),
					...ranges.map(({ leMs, aboveMs }, index) =>
						query(`bucket${index}`, "TargetResponseTime", trimmedCount(aboveMs, leMs)),
					),
				],
			}),
		),
	);
	const sum = (id: string) =>
		(reply.MetricDataResults?.find((result) => result.Id === id)?.Values ?? []).reduce(
			(total, one) => total + one,
			0,
		);
	const own = (status: keyof typeof OWN_ANSWERS) => sum(`own${status}`);
	// A connection that failed is answered with 502 or 504: it is one failure, whichever of both has been published.
	const failures = sum("failures") + own(503) + Math.max(sum("unconnected"), own(502) + own(504));
	return {
		// Those are among the requests for which there was a target, but no 503 is.
		requests: Math.max(sum("requests") + own(503), failures),
		failures,
		latencyBuckets: ranges.map(({ leMs }, index) => ({ leMs, count: sum(`bucket${index}`) })),
	};
}

/** In seconds, above the lower and up to the upper limit. */
function trimmedCount(aboveMs: number, leMs: number | null): string {
	const lower = aboveMs === 0 ? "" : String(aboveMs / 1000);
	return `TC(${lower}:${leMs === null ? "" : leMs / 1000})`;
}
