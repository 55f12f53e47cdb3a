import assert from "node:assert/strict";
import { COLORS } from "../../../components/replication/node";
import { type Declared, nodeInputs } from "../declared";
import { the } from "./declared";
import { statementsOf } from "./policy";
import { production, released, releasedWith } from "./production-stack";

interface Container {
	environment: { name: string; value: string }[];
	secrets: { name: string; valueFrom: string }[];
	healthCheck: { command: string[] };
}

const TEST_PORTS = { blue: 8443, green: 8444 };

for (const [what, releases] of [
	["with its second release", ["1.2.0"]],
	["with its third release", ["1.1.0", "1.2.0"]],
] as const) {
	describe(`the production stack on AWS ${what}`, () => {
		let declared: Declared[];

		before(async () => {
			declared = await production({}, released(...releases));
		});

		function containerOf(color: string): Container {
			const { containerDefinitions } = the(
				declared,
				"TaskDefinition",
				`${color}-service-fargate-task`,
			).inputs;
			return (JSON.parse(String(containerDefinitions)) as [Container])[0];
		}

		for (const color of COLORS) {
			it(`sends to ${color}'s tasks what is for ${color}, and to no other ones`, () => {
				const group = `arn:aws:mock:router-${color}`;
				const { inputs } = the(declared, "Service", `${color}-service-fargate-service`);
				assert.deepEqual(
					[inputs.name, inputs.taskDefinition, inputs.loadBalancers],
					[
						`counting-production-${color}`,
						`arn:aws:mock:${color}-service-fargate-task:7`,
						[{ targetGroupArn: group, containerName: "counting-api", containerPort: 8080 }],
					],
				);
				const listener = the(declared, "Listener", `router-test-${color}`).inputs;
				assert.deepEqual(
					[listener.port, listener.defaultActions],
					[TEST_PORTS[color], [{ type: "forward", targetGroupArn: group }]],
				);
				const url = `https://counting.example.com:${TEST_PORTS[color]}`;
				assert.equal(nodeInputs(declared, "service:ServiceReady", `${color}-service-ready`).url, url);
				const { live, idle } = nodeInputs(declared, "traffic:TrafficSwitch", "traffic");
				const side = [live, idle].find((each) => (each as { color: string }).color === color);
				assert.deepEqual(
					[(side as { targetGroup: string }).targetGroup, (side as { url: string }).url],
					[color, url],
				);
			});

			it(`gives ${color}'s tasks the passwords of their own database and of the queue, and no other ones`, () => {
				const { environment, secrets } = containerOf(color);
				const { PGHOST, PGUSER, PGDATABASE, QUEUE_PGHOST, QUEUE_PGUSER } = Object.fromEntries(
					environment.map(({ name, value }) => [name, value]),
				);
				const secret = (role: string) => `${color}-service-${role}`;
				const reference = (role: string) =>
					`arn:aws:mock:${secret(role)}:password::version-of-${secret(role)}-version`;
				assert.deepEqual(secrets, [
					{ name: "PGPASSWORD", valueFrom: reference("application") },
					{ name: "QUEUE_PGPASSWORD", valueFrom: reference("queue") },
				]);
				const [readsSecrets] = statementsOf(
					the(declared, "RolePolicy", `${color}-service-roles-execution`).inputs.policy,
				);
				assert.deepEqual(
					[readsSecrets?.Action, readsSecrets?.Resource],
					[
						["secretsmanager:GetSecretValue"],
						[`arn:aws:mock:${secret("application")}`, `arn:aws:mock:${secret("queue")}`],
					],
				);
				const stored = (role: string) => {
					assert.equal(
						the(declared, "Secret", secret(role)).inputs.name,
						`counting-production/${color}/${role}`,
					);
					const { secretId, secretString } = the(declared, "SecretVersion", `${secret(role)}-version`).inputs;
					assert.equal(secretId, `${secret(role)}-id`);
					const { host, username, password } = JSON.parse((secretString as { value: string }).value);
					return { host, username, password };
				};
				assert.match(String(PGDATABASE), new RegExp(`^counting_production_${color}_[123]$`));
				assert.deepEqual(stored("application"), {
					host: `server-${color}-instance.rds.example`,
					username: `${PGDATABASE}_app`,
					password: `generated-for-${color}-${PGDATABASE?.at(-1)}-app-password`,
				});
				assert.deepEqual([PGHOST, PGUSER], [`server-${color}-instance.rds.example`, `${PGDATABASE}_app`]);
				assert.deepEqual(stored("queue"), {
					host: QUEUE_PGHOST,
					username: QUEUE_PGUSER,
					password: "generated-for-queue-app-password",
				});
			});

			it(`changes ${color}'s tasks one by one, by whether they are ready, and goes back by itself`, () => {
				const { inputs } = the(declared, "Service", `${color}-service-fargate-service`);
				assert.deepEqual(
					[
						inputs.deploymentMinimumHealthyPercent,
						inputs.deploymentCircuitBreaker,
						inputs.waitForSteadyState,
					],
					[100, { enable: true, rollback: true }, true],
				);
				assert.equal(
					the(declared, "TaskDefinition", `${color}-service-fargate-task`).inputs.skipDestroy,
					true,
				);
				const { path, matcher } = the(declared, "TargetGroup", `router-${color}`).inputs.healthCheck as {
					path: string;
					matcher: string;
				};
				assert.deepEqual([path, matcher], ["/readyz", "200"]);
				assert.match(
					String(containerOf(color).healthCheck.command.at(-1)),
					/^fetch\('http:\/\/127.0.0.1:8080\/readyz'\)/,
				);
			});
		}
	});
}

describe("a release on AWS whose tasks are of another size and processor", () => {
	it("leaves the tasks of the release that serves as they are", async () => {
		const larger = {
			serviceTasks: "3",
			serviceCpu: "1024",
			serviceMemory: "2048",
			serviceArchitecture: "ARM64",
		};
		const declared = await production(larger, released("1.2.0"));
		const sizes = COLORS.map((color) => {
			const { cpu, memory, runtimePlatform } = the(
				declared,
				"TaskDefinition",
				`${color}-service-fargate-task`,
			).inputs;
			const { desiredCount } = the(declared, "Service", `${color}-service-fargate-service`).inputs;
			return [
				color,
				desiredCount,
				cpu,
				memory,
				(runtimePlatform as { cpuArchitecture: string }).cpuArchitecture,
			];
		});
		assert.deepEqual(sizes, [
			["blue", 2, "512", "1024", "X86_64"],
			["green", 3, "1024", "2048", "ARM64"],
		]);
	});

	it("leaves the release that serves the connections of its own tasks and pools", async () => {
		const before = { release: "1.2.0", serviceTasks: "8", poolSize: "10" };
		const declared = await production(
			{ serviceTasks: "2", poolSize: "5", maxConnections: "50" },
			releasedWith(before),
		);
		const limits = ["blue-1-app", "green-2-app"].map((role) =>
			declared.filter(({ name }) => name === role).map(({ inputs }) => inputs.connectionLimit),
		);
		// Twice 8 tasks of 12, as they are doubled while they are changed.
		assert.deepEqual(limits, [[192], [50]]);
	});
});
