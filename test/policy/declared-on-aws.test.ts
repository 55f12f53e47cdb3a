import assert from "node:assert/strict";
import { ServerEnvironment } from "../../components/database/aws/server-environment";
import { ServerInstance } from "../../components/database/aws/server-instance";
import { Cluster } from "../../components/service/aws/cluster";
import { FargateService } from "../../components/service/aws/fargate-service";
import { LoadBalancer } from "../../components/traffic/aws/load-balancer";
import { policiesFor } from "../../policy/policies";
import { declaredBy } from "../platform/aws/declared";
import { PRODUCTION, reported } from "./policies";

const tags = { Project: "camera-counting", Environment: "production", Stack: "production" };
const prefix = "counting-production";
const keyArn = "arn:aws:kms:eu-central-1:123456789012:key/1";
const region = "eu-central-1";
const image = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/counting-api@sha256:${"0a".repeat(32)}`;

describe("what the project declares on AWS", () => {
	/** What each rule reports of each resource, sorted, as `policy name: fault`. */
	async function faults(options: {
		protect: boolean;
		environment: Record<string, string>;
	}): Promise<string[]> {
		const declared = await declaredBy(() => {
			new ServerInstance("server", {
				environment: new ServerEnvironment("servers", { subnetIds: ["subnet-c", "subnet-d"], prefix, tags }),
				...{ identifier: prefix, engineVersion: "18.1", instanceClass: "db.m7g.large" },
				...{
					storageGigabytes: 100,
					maxStorageGigabytes: 1000,
					multiAz: true,
					securityGroupId: "sg-database",
				},
				...{ keyArn, administrator: "deployment", password: "hidden", maxConnections: 200 },
				...{ backupRetentionDays: 35, backupWindow: "01:00-02:00", maintenanceWindow: "sun:03:00-sun:04:00" },
				...{ monitoringSeconds: 60, insightsRetentionDays: 7, protect: options.protect, tags },
			});
			const router = new LoadBalancer("router", {
				...{ vpcId: "vpc-1", subnetIds: ["subnet-a", "subnet-b"], securityGroupId: "sg-load-balancer" },
				...{ domainName: "counting.example.com", zoneId: "Z1", certificateArn: "arn:certificate" },
				...{ deregistrationDelaySeconds: 15, protect: options.protect, prefix, tags },
			});
			const service = new FargateService("green", {
				cluster: new Cluster("services", { logRetentionDays: 90, keyArn, prefix, tags }),
				...{ serviceName: `${prefix}-green`, image, region, environment: options.environment, tags },
				...{ secrets: { PGPASSWORD: "arn:secret:password::v1" }, executionRoleArn: "arn:role" },
				...{ taskRoleArn: "arn:role", subnetIds: ["subnet-c"], securityGroupId: "sg-service" },
				...{ targetGroupArn: "arn:group", tasks: 3, cpu: 512, memory: 1024, architecture: "ARM64" as const },
				...{ readyTimeoutSeconds: 60, drainTimeoutSeconds: 10 },
			});
			return [router.url, service.service.id];
		});
		const rules = policiesFor(PRODUCTION).filter((policy) => "validateResource" in policy);
		const found: string[] = [];
		for (const { type, name, inputs } of declared) {
			for (const rule of rules) {
				const messages = await reported(rule.name, { type, props: inputs });
				found.push(...messages.map((message) => `${rule.name} ${name}: ${message}`));
			}
		}
		return found.sort();
	}

	it("keeps production's rules", async () => {
		assert.deepEqual(
			await faults({ protect: true, environment: { PORT: "8080", PGHOST: "db.internal" } }),
			[],
		);
	});

	it("is found out where it is told to break them", async () => {
		assert.deepEqual(await faults({ protect: false, environment: { PGPASSWORD: "a-secret-of-the-test" } }), [
			"aws-database-protected server-instance: a deletion leaves no snapshot: set skipFinalSnapshot to false and finalSnapshotIdentifier to a name",
			"aws-database-protected server-instance: nothing keeps the database from being deleted: set deletionProtection to true",
			"aws-task-no-plain-secret green-task: container counting-api: PGPASSWORD is a secret in plain text: hand it over by the container's secrets",
		]);
	});
});
