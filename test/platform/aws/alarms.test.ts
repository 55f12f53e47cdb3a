import assert from "node:assert/strict";
import { AlarmTopic } from "../../../components/monitoring/aws/alarm-topic";
import { ServerAlarms } from "../../../components/monitoring/aws/server-alarms";
import { TrafficAlarms } from "../../../components/monitoring/aws/traffic-alarms";
import { counted, declaredBy, TAGS, the, untagged } from "./declared";

const prefix = "counting-production";
const keyArn = "arn:aws:kms:eu-central-1:123456789012:key/1";

describe("the alarms on AWS", () => {
	it("cover what clients see and what a server needs, and go to a topic that is encrypted", async () => {
		const declared = await declaredBy(() => {
			const topicArn = new AlarmTopic("alarms", {
				...{ keyArn, emails: ["oncall@example.com"], prefix, tags: TAGS },
			}).arn;
			new TrafficAlarms("traffic-alarms", {
				...{ topicArn, prefix, tags: TAGS, loadBalancer: "app/router/1" },
				...{ failuresPerMinute: 10, slowRequestMilliseconds: 500 },
			});
			return new ServerAlarms("server-alarms", {
				...{ topicArn, prefix, tags: TAGS, identifier: "counting-production-green" },
				...{ storageGigabytes: 100, maxConnections: 400, connectionsPercent: 80 },
			});
		});
		assert.deepEqual(counted(declared), { Topic: 1, TopicSubscription: 1, MetricAlarm: 8 });
		const shown = declared
			.filter(({ type }) => type.endsWith(":MetricAlarm"))
			.map(({ inputs }) => `${inputs.metricName} ${inputs.comparisonOperator} ${inputs.threshold}`);
		assert.deepEqual(shown.sort(), [
			"CPUUtilization GreaterThanOrEqualToThreshold 85",
			"DatabaseConnections GreaterThanOrEqualToThreshold 320",
			"FreeStorageSpace LessThanOrEqualToThreshold 16106127360",
			"HTTPCode_ELB_5XX_Count GreaterThanOrEqualToThreshold 10",
			"HTTPCode_Target_5XX_Count GreaterThanOrEqualToThreshold 10",
			"OldestReplicationSlotLag GreaterThanOrEqualToThreshold 10737418240",
			"ReplicationSlotDiskUsage GreaterThanOrEqualToThreshold 10737418240",
			"TargetResponseTime GreaterThanOrEqualToThreshold 0.5",
		]);
		const latency = the(declared, "MetricAlarm", "traffic-alarms-latency").inputs;
		assert.deepEqual([latency.extendedStatistic, latency.statistic], ["p95", undefined]);
		assert.equal(the(declared, "Topic", "alarms-topic").inputs.kmsMasterKeyId, keyArn);
		assert.deepEqual(untagged(declared, TAGS), []);
	});
});
