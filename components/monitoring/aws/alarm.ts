import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/** A metric of AWS and from when on it is an alarm. */
export interface AlarmRule {
	/** What has happened and what to look at, for who is woken by it. */
	description: string;
	namespace: "AWS/ApplicationELB" | "AWS/RDS";
	metricName: string;
	dimensions: Record<string, pulumi.Input<string>>;
	/** `Average`, `Maximum`, `Sum`, or a percentile such as `p95`. */
	statistic: string;
	comparison: "above" | "below";
	threshold: number;
	/** Minutes in a row that it has to last. */
	minutes: number;
}

export interface AlarmArgs {
	/** The topic that alarms go to, and that they are over. */
	topicArn: pulumi.Input<string>;
	/** Begins the alarms' names. */
	prefix: string;
	/** On every alarm. */
	tags: Record<string, string>;
}

/** Declares one alarm as a child of a component. */
export function declareAlarm(
	name: string,
	rule: AlarmRule,
	{ topicArn, prefix, tags }: AlarmArgs,
	parent: pulumi.Resource,
): aws.cloudwatch.MetricAlarm {
	const { description, namespace, metricName, dimensions, statistic, comparison, threshold, minutes } = rule;
	return new aws.cloudwatch.MetricAlarm(
		name,
		{
			name: `${prefix}-${name}`,
			alarmDescription: description,
			namespace,
			metricName,
			dimensions,
			...(statistic.startsWith("p") ? { extendedStatistic: statistic } : { statistic }),
			comparisonOperator:
				comparison === "above" ? "GreaterThanOrEqualToThreshold" : "LessThanOrEqualToThreshold",
			threshold,
			period: 60,
			evaluationPeriods: minutes,
			datapointsToAlarm: minutes,
			// No requests, no slots: nothing is wrong.
			treatMissingData: "notBreaching",
			alarmActions: [topicArn],
			okActions: [topicArn],
			tags,
		},
		{ parent },
	);
}
