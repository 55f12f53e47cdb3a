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
	/** When to begin to count. */
	since: Date;
}

/** Upper limits of the latency buckets, in milliseconds; one more has no limit. */
const BUCKETS_MS = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
/** The load balancer reports once a minute. */
const PERIOD_SECONDS = 60;

/**
 * What a target group's targets have done, by the load balancer's metrics. Of the latencies CloudWatch counts those in a
 * range by itself: its statistic is called a trimmed count.
 */
export async function countersSince(
	client: CloudWatchClient,
	{ loadBalancer, targetGroupArn, since }: CountersOptions,
): Promise<TrafficCounters> {
	const dimensions = [
		{ Name: "LoadBalancer", Value: loadBalancer },
		{ Name: "TargetGroup", Value: targetGroupArn.slice(targetGroupArn.indexOf("targetgroup/")) },
	];
	const query = (Id: string, MetricName: string, Stat: string): MetricDataQuery => ({
		Id,
		MetricStat: {
			Metric: { Namespace: "AWS/ApplicationELB", MetricName, Dimensions: dimensions },
			Period: PERIOD_SECONDS,
			Stat,
		},
	});
	const ranges = [...BUCKETS_MS, null].map((leMs, index) => ({ leMs, aboveMs: BUCKETS_MS[index - 1] ?? 0 }));
	const reply = await answered("CloudWatch", () =>
		client.send(
			new GetMetricDataCommand({
				StartTime: since,
				EndTime: new Date(),
				MetricDataQueries: [
					query("requests", "RequestCount", "Sum"),
					query("failures", "HTTPCode_Target_5XX_Count", "Sum"),
					query("unanswered", "TargetConnectionErrorCount", "Sum"),
					...ranges.map(({ leMs, aboveMs }, index) =>
						query(`bucket${index}`, "TargetResponseTime", trimmedCount(aboveMs, leMs)),
					),
				],
			}),
		),
	);
	const sum = (id: string) =>
		(reply.MetricDataResults?.find((result) => result.Id === id)?.Values ?? []).reduce(
			(all, one) => all + one,
			0,
		);
	return {
		requests: sum("requests") + sum("unanswered"),
		failures: sum("failures") + sum("unanswered"),
		latencyBuckets: ranges.map(({ leMs }, index) => ({ leMs, count: sum(`bucket${index}`) })),
	};
}

/** In seconds, above the lower and up to the upper limit. */
function trimmedCount(aboveMs: number, leMs: number | null): string {
	const lower = aboveMs === 0 ? "" : String(aboveMs / 1000);
	return `TC(${lower}:${leMs === null ? "" : leMs / 1000})`;
}
