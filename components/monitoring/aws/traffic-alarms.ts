import * as pulumi from "@pulumi/pulumi";
import { type AlarmArgs, type AlarmRule, declareAlarm } from "./alarm";

export interface TrafficAlarmsArgs extends AlarmArgs {
	/** The load balancer, as its metrics name it: `app/name/id`. */
	loadBalancer: pulumi.Input<string>;
	/** Failed requests a minute from which on it is an alarm. */
	failuresPerMinute: number;
	/** Milliseconds that one in twenty requests takes from which on it is an alarm. */
	slowRequestMilliseconds: number;
}

/** Alarms of what clients see. */
export class TrafficAlarms extends pulumi.ComponentResource {
	constructor(name: string, args: TrafficAlarmsArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:monitoring:TrafficAlarms", name, {}, opts);
		for (const [what, rule] of Object.entries(trafficRules(args))) {
			declareAlarm(`${name}-${what}`, rule, args, this);
		}
		this.registerOutputs({});
	}
}

function trafficRules(args: TrafficAlarmsArgs): Record<string, AlarmRule> {
	const { loadBalancer, failuresPerMinute, slowRequestMilliseconds } = args;
	const of = { namespace: "AWS/ApplicationELB", dimensions: { LoadBalancer: loadBalancer } } as const;
	return {
		"service-failures": {
			...of,
			description: "The service answers 5xx: look at its log and at npm run health",
			metricName: "HTTPCode_Target_5XX_Count",
			statistic: "Sum",
			comparison: "above",
			threshold: failuresPerMinute,
			minutes: 2,
		},
		// During a cutover the load balancer refuses requests for less than a minute.
		"unserved-requests": {
			...of,
			description: "The load balancer answers 5xx itself: no healthy task, or a cutover that did not end",
			metricName: "HTTPCode_ELB_5XX_Count",
			statistic: "Sum",
			comparison: "above",
			threshold: failuresPerMinute,
			minutes: 2,
		},
		latency: {
			...of,
			description: "One in twenty requests is slow: look at the databases' load",
			metricName: "TargetResponseTime",
			statistic: "p95",
			comparison: "above",
			threshold: slowRequestMilliseconds / 1000,
			minutes: 5,
		},
	};
}
