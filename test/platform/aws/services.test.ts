import assert from "node:assert/strict";
import { Cluster } from "../../../components/service/aws/cluster";
import { containerDefinition, isByDigest } from "../../../components/service/aws/container";
import { FargateService } from "../../../components/service/aws/fargate-service";
import { TaskRoles } from "../../../components/service/aws/task-roles";
import { counted, declaredBy, TAGS, the, untagged } from "./declared";

const prefix = "counting-production";
const keyArn = "arn:aws:kms:eu-central-1:123456789012:key/1";
const region = "eu-central-1";
const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/counting-api@sha256:${"0a".repeat(32)}`;

describe("a service's container on AWS", () => {
	const options = {
		image: IMAGE,
		environment: { RELEASE: "1.3.0", PORT: "8080" },
		secrets: { PGPASSWORD: "arn:secret:password::v1" },
		logGroup: "/ecs/counting-production",
		region,
		drainTimeoutSeconds: 10,
	};

	it("gets passwords by reference, writes nothing and has no right", () => {
		const definition = containerDefinition(options);
		assert.deepEqual(definition.secrets, [{ name: "PGPASSWORD", valueFrom: "arn:secret:password::v1" }]);
		assert.deepEqual(definition.environment, [
			{ name: "PORT", value: "8080" },
			{ name: "RELEASE", value: "1.3.0" },
		]);
		assert.equal(definition.readonlyRootFilesystem, true);
		assert.equal(definition.user, "65532:65532");
		assert.deepEqual(definition.linuxParameters.capabilities, { drop: ["ALL"] });
		assert.equal(definition.stopTimeout, 12);
		assert.equal(containerDefinition({ ...options, drainTimeoutSeconds: 600 }).stopTimeout, 120);
	});

	for (const image of ["counting-api:1.3.0", "counting-api", `counting-api@sha256:${"0a".repeat(31)}`]) {
		it(`is refused as ${image}`, () => {
			assert.equal(isByDigest(image), false);
			assert.throws(() => containerDefinition({ ...options, image }), /name it by its digest/);
		});
	}
});

describe("a service on AWS", () => {
	it("goes back by itself when its tasks do not become healthy, and waits for its rights", async () => {
		const declared = await declaredBy(() => {
			const cluster = new Cluster("services", { logRetentionDays: 90, keyArn, prefix, tags: TAGS });
			const roles = new TaskRoles("green-roles", {
				...{ secretArns: ["arn:secret"], keyArn, logGroupArn: cluster.logGroup.arn, region },
				...{ prefix: `${prefix}-green`, tags: TAGS },
			});
			return new FargateService("green", {
				...{ cluster, serviceName: `${prefix}-green`, image: IMAGE, region, tags: TAGS },
				...{ environment: { PORT: "8080" }, secrets: { PGPASSWORD: "arn:secret:password::v1" } },
				...{ executionRoleArn: roles.executionRoleArn, taskRoleArn: roles.taskRoleArn },
				...{ subnetIds: ["subnet-c"], securityGroupId: "sg-service", targetGroupArn: "arn:group" },
				...{ tasks: 3, cpu: 512, memory: 1024, architecture: "ARM64" as const },
				...{ readyTimeoutSeconds: 60, drainTimeoutSeconds: 10 },
			});
		});
		assert.deepEqual(counted(declared), {
			LogGroup: 1,
			Cluster: 1,
			Role: 2,
			RolePolicy: 1,
			TaskDefinition: 1,
			Service: 1,
		});
		const { inputs, waitsFor } = the(declared, "Service", "green-service");
		assert.deepEqual(inputs.deploymentCircuitBreaker, { enable: true, rollback: true });
		assert.equal(inputs.waitForSteadyState, true);
		assert.equal(inputs.desiredCount, 3);
		assert.deepEqual(inputs.networkConfiguration, {
			subnets: ["subnet-c"],
			securityGroups: ["sg-service"],
			assignPublicIp: false,
		});
		assert.deepEqual(waitsFor, ["green-task", "services"]);
		const task = the(declared, "TaskDefinition", "green-task");
		assert.deepEqual(task.waitsFor, ["green-roles-execution", "green-roles-task", "services-logs"]);
		assert.deepEqual(
			[task.inputs.cpu, task.inputs.memory, task.inputs.networkMode],
			["512", "1024", "awsvpc"],
		);
		const policy = JSON.parse(String(the(declared, "RolePolicy", "green-roles-execution").inputs.policy));
		assert.deepEqual(policy.Statement[0], {
			Effect: "Allow",
			Action: ["secretsmanager:GetSecretValue"],
			Resource: ["arn:secret"],
		});
		assert.deepEqual(untagged(declared, TAGS), []);
	});
});
