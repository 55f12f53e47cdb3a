import assert from "node:assert/strict";
import { committedSettings } from "../committed";
import { counted as countedByType, type Declared, nodeInputs, unguarded } from "../declared";
import { counted, ingress, the, untagged } from "./declared";
import { certificates, production, released, releasedWith } from "./production-stack";

const made = {
	vpcId: undefined,
	publicSubnetIds: undefined,
	privateSubnetIds: undefined,
	networkCidr: "10.20.0.0/16",
	runnerSecurityGroupId: undefined,
	runnerCidrs: "10.20.128.0/24, 198.51.100.24/32",
};

/** Of each server, whether it is kept when the stack goes, and for how long its backups are. */
function servers(declared: readonly Declared[]) {
	return declared
		.filter(({ type }) => type === "aws:rds/instance:Instance")
		.map(({ inputs }) => {
			const { identifier, instanceClass, allocatedStorage, deletionProtection, backupRetentionPeriod } =
				inputs;
			return [identifier, instanceClass, allocatedStorage, deletionProtection, backupRetentionPeriod];
		})
		.sort();
}

describe("the production stack on platform aws", () => {
	let declared: Declared[];

	before(async () => {
		declared = await production();
	});

	it("declares a server for each colour and one for the catalog, one service, and what is around them", () => {
		assert.deepEqual(counted(declared), {
			Key: 1,
			Alias: 1,
			SecurityGroup: 3,
			SecurityGroupIngressRule: 8,
			SecurityGroupEgressRule: 4,
			SubnetGroup: 1,
			ParameterGroup: 3,
			Instance: 3,
			Cluster: 1,
			LogGroup: 7,
			LoadBalancer: 1,
			TargetGroup: 2,
			Listener: 4,
			Record: 1,
			Secret: 2,
			SecretVersion: 2,
			TaskDefinition: 1,
			Service: 1,
			Role: 3,
			RolePolicy: 1,
			RolePolicyAttachment: 1,
			Topic: 1,
			TopicSubscription: 1,
			MetricAlarm: 18,
		});
		assert.deepEqual(servers(declared), [
			["counting-production-blue", "db.m7g.large", 100, true, 35],
			["counting-production-catalog", "db.t4g.small", 20, true, 35],
			["counting-production-green", "db.m7g.large", 100, true, 35],
		]);
	});

	it("declares as much of everything else as other platforms do, but for two servers more", () => {
		const others = declared.filter(({ type }) => !/^(aws:|pulumi:providers:aws|camera-counting:)/.test(type));
		assert.deepEqual(countedByType(others), {
			"pulumi-nodejs:dynamic/database:GeneratedPassword": 11,
			"pulumi-nodejs:dynamic/database:ServerAnswers": 3,
			"pulumi:providers:postgresql": 3,
			"postgresql:index/extension:Extension": 3,
			"postgresql:index/role:Role": 11,
			"postgresql:index/database:Database": 3,
			"postgresql:index/grant:Grant": 9,
			"postgresql:index/defaultPrivileges:DefaultPrivileges": 3,
			"pulumi-nodejs:dynamic/queue:QueueSchema": 1,
			"pulumi-nodejs:dynamic/catalog:CatalogSchema": 1,
			"pulumi-nodejs:dynamic/replication:DatabaseCopy": 1,
			"pulumi-nodejs:dynamic/migrations:MigrationSet": 1,
			"pulumi-nodejs:dynamic/pipeline:Stage": 4,
			"pulumi-nodejs:dynamic/service:ServiceReady": 1,
			"pulumi-nodejs:dynamic/health:ColorHealth": 1,
			"pulumi-nodejs:dynamic/traffic:TrafficSwitch": 1,
			"pulumi-nodejs:dynamic/guards:DestroyGuard": 1,
		});
	});

	it("works in its own account only, and names all that it makes", () => {
		const [provider] = declared.filter(({ type }) => type === "pulumi:providers:aws");
		const { region, allowedAccountIds } = provider?.inputs ?? {};
		assert.deepEqual([region, allowedAccountIds], ["eu-central-1", '["123456789012"]']);
		assert.deepEqual(
			untagged(declared, { Project: "camera-counting", Environment: "production", Stack: "production" }),
			[],
		);
	});

	it("checks every server by RDS's certificates, from here and from the service", () => {
		const providers = declared.filter(({ type }) => type === "pulumi:providers:postgresql");
		assert.deepEqual(
			providers.map(({ inputs }) => [inputs.host, inputs.sslmode, inputs.sslrootcert, inputs.superuser]),
			["", "-blue", "-green"].map((name) => [
				`server${name}-instance.rds.example`,
				"verify-full",
				certificates.databaseCertificates,
				"false",
			]),
		);
		const environment = environmentOf(declared, "blue");
		for (const prefix of ["", "QUEUE_"]) {
			assert.equal(environment[`${prefix}PGSSLMODE`], "verify-full");
			assert.equal(environment[`${prefix}PGSSLROOTCERT`], "/service/test/platform/aws/certificates.pem");
		}
	});

	it("lets the colours copy from each other by the role that RDS has for that", () => {
		const roles = declared.filter(({ inputs }) => inputs.name === "counting_production_replication");
		assert.equal(roles.length, 2);
		for (const { inputs } of roles) {
			const { replication, bypassRowLevelSecurity, roles: memberOf } = inputs;
			assert.deepEqual(
				[replication, bypassRowLevelSecurity, memberOf],
				[false, false, ["rds_replication", "pg_read_all_data"]],
			);
		}
	});

	it("tells the cutover which listener and target groups to move", () => {
		const { live, router } = nodeInputs(declared, "traffic:TrafficSwitch", "traffic");
		assert.deepEqual(router, {
			kind: "alb",
			region: "eu-central-1",
			listenerArn: "arn:aws:mock:router-https",
			loadBalancer: "app/router/1",
			colors: {
				blue: { targetGroupArn: "arn:aws:mock:router-blue", url: "https://counting.example.com:8443" },
				green: { targetGroupArn: "arn:aws:mock:router-green", url: "https://counting.example.com:8444" },
			},
		});
		assert.equal((live as { targetGroup: string }).targetGroup, "blue");
	});

	it("starts a service when its rights, secrets, rules and listener are there, and routes to it when it is checked", () => {
		const task = the(declared, "TaskDefinition", "blue-service-fargate-task").waitsFor;
		for (const before of [
			"blue-service-application-version",
			"blue-service-queue-version",
			"blue-service-roles-execution",
			"cluster-logs",
		]) {
			assert.ok(task.includes(before), `${before} is not among ${task.join(", ")}`);
		}
		const service = the(declared, "Service", "blue-service-fargate-service").waitsFor;
		for (const before of ["blue-service-fargate-task", "router-test-blue", "firewall-asks", "firewall-aws"]) {
			assert.ok(service.includes(before), `${before} is not among ${service.join(", ")}`);
		}
		const [traffic] = declared.filter(({ name }) => name === "traffic");
		for (const before of ["blue-1-health", "blue-service-ready", "stage-integration-tests"]) {
			assert.ok(traffic?.waitsFor.includes(before), before);
		}
	});

	const eight = { release: "1.1.0", serviceTasks: "8", poolSize: "5" };
	const two = { release: "1.2.0", serviceTasks: "2" };
	for (const [what, tasks, last, ofQueue, ofCatalog, ofColor] of [
		["2 tasks of each service", 2, undefined, 24, "144", "504"],
		["10 tasks of each service", 10, undefined, 120, "240", "600"],
		["8 tasks of the live service, beside a release that has 2,", 2, [eight], 96, "216", "576"],
		["8 tasks of the service that a release with 2 takes the place of", 2, [eight, two], 96, "216", "576"],
		["2 tasks of each service, once there is none with more,", 2, [two], 24, "144", "504"],
	] as const) {
		it(`lets ${what} reach the queue, also while they are changed`, async () => {
			const changes = { serviceTasks: String(tasks), poolSize: "5" };
			const own = await production(changes, last && releasedWith(...last));
			const [role] = own.filter(({ name }) => name === "queue-app");
			assert.equal(role?.inputs.connectionLimit, ofQueue);
			const most = (server: string) =>
				(
					the(own, "ParameterGroup", `${server}-parameters`).inputs.parameters as {
						name: string;
						value: string;
					}[]
				).find(({ name }) => name === "max_connections")?.value;
			assert.deepEqual([most("server"), most("server-blue")], [ofCatalog, ofColor]);
		});
	}

	it("writes passwords into secrets only", () => {
		const shown = declared
			.filter(({ type }) => type.startsWith("aws:") && !/Instance$|SecretVersion$/.test(type))
			.filter(({ inputs }) => JSON.stringify(inputs).includes("generated-for-"));
		assert.deepEqual(shown, []);
	});

	it("is refused without the certificates of its region's servers", async () => {
		await assert.rejects(
			production({ databaseCertificates: "certificates/other.pem" }),
			/^Error: databaseCertificates: certificates\/other.pem has no certificates .* curl -o certificates\/other.pem https:\/\/truststore.pki.rds.amazonaws.com\/eu-central-1\/eu-central-1-bundle.pem$/,
		);
	});

	it("lets its deployment reach the load balancer by public addresses and the databases by private ones", () => {
		const clients = ["0.0.0.0/0:443", "0.0.0.0/0:80"];
		assert.deepEqual(ingress(declared, "load-balancer"), [
			...clients,
			"198.51.100.24/32:8443",
			"198.51.100.24/32:8444",
		]);
		assert.ok(ingress(declared, "database").includes("sg-0a1b2c3d4e5f6a7b8:5432"));
	});

	it("makes its network where it is told to, with a way out for each zone", async () => {
		const own = await production(made);
		const gateways = ["203.0.113.0/32", "203.0.113.1/32"];
		assert.deepEqual(
			ingress(own, "load-balancer").filter((rule) => /:844/.test(rule)),
			["198.51.100.24/32", ...gateways].flatMap((cidr) => [`${cidr}:8443`, `${cidr}:8444`]),
		);
		const { Vpc, Subnet, NatGateway, Instance } = counted(own);
		assert.deepEqual(
			{ Vpc, Subnet, NatGateway, Instance },
			{ Vpc: 1, Subnet: 4, NatGateway: 2, Instance: 3 },
		);
	});

	const environments: [string, boolean, number][] = [
		["development", false, 14],
		["staging", false, 14],
		["production", true, 35],
	];
	for (const [environment, kept, days] of environments) {
		it(`${kept ? "keeps" : "does not keep"} what an environment ${environment} has when the stack goes`, async () => {
			const own = await production({ environment, backupSchedule: kept ? "hourly" : "daily" });
			assert.deepEqual(
				servers(own).map((server) => server.slice(3)),
				Array.from({ length: 3 }, () => [kept, days]),
			);
			const { enableDeletionProtection } = the(own, "LoadBalancer", "router").inputs;
			const { recoveryWindowInDays } = the(own, "Secret", "blue-service-application").inputs;
			const { skipFinalSnapshot, deleteAutomatedBackups } = the(
				own,
				"Instance",
				"server-blue-instance",
			).inputs;
			assert.deepEqual(
				[enableDeletionProtection, recoveryWindowInDays, skipFinalSnapshot, deleteAutomatedBackups],
				[kept, kept ? 7 : 0, !kept, !kept],
			);
			assert.equal(the(own, "Key", "key-key").retained, kept);
			assert.deepEqual(untagged(own, { Environment: environment }), []);
		});
	}

	it("leaves what it can be restored from also once its destruction is allowed", async () => {
		const own = await production({ ...made, protectDatabases: "false", allowDestroy: "production" });
		for (const server of ["server", "server-blue", "server-green"]) {
			const { inputs } = the(own, "Instance", `${server}-instance`);
			const { deletionProtection, deleteAutomatedBackups, skipFinalSnapshot, finalSnapshotIdentifier } =
				inputs;
			assert.deepEqual(
				[deletionProtection, deleteAutomatedBackups, skipFinalSnapshot, finalSnapshotIdentifier],
				[false, false, false, `${server}-parameters-final`],
			);
		}
		assert.equal(the(own, "LoadBalancer", "router").inputs.enableDeletionProtection, false);
		assert.equal(the(own, "Secret", "blue-service-queue").inputs.recoveryWindowInDays, 7);
		assert.equal(the(own, "Key", "key-key").retained, true);
		assert.equal(counted(own).NatGateway, 2);
		assert.equal(nodeInputs(own, "guards:DestroyGuard", "destroy-guard").allowed, true);
	});

	for (const [what, changes] of [
		["that is there", {}],
		["of its own", made],
	] as const) {
		it(`begins its destruction with the guard, before all else, in a network ${what}`, async () => {
			assert.deepEqual(unguarded(await production(changes)), []);
		});
	}

	it("declares no alarm where nobody is to be told", async () => {
		const { MetricAlarm, Topic } = counted(await production({ alerting: "false" }));
		assert.deepEqual({ MetricAlarm, Topic }, { MetricAlarm: undefined, Topic: undefined });
	});

	it("runs the third release in the first one's service, whose tasks ECS changes while they serve nobody", async () => {
		const { release } = committedSettings("production", certificates);
		const third = await production({}, released("1.1.0", "1.2.0"));
		assert.deepEqual(
			third
				.filter(({ type }) => type === "aws:ecs/service:Service")
				.map(({ name, inputs }) => [name, inputs.name]),
			[
				["green-service-fargate-service", "counting-production-green"],
				["blue-service-fargate-service", "counting-production-blue"],
			],
		);
		const { RELEASE, PGDATABASE } = environmentOf(third, "blue");
		assert.deepEqual([RELEASE, PGDATABASE], [release, "counting_production_blue_3"]);
	});
});

function environmentOf(declared: readonly Declared[], color: string): Record<string, string> {
	const { containerDefinitions } = the(declared, "TaskDefinition", `${color}-service-fargate-task`).inputs;
	const [container] = JSON.parse(String(containerDefinitions)) as {
		environment: { name: string; value: string }[];
	}[];
	return Object.fromEntries((container?.environment ?? []).map(({ name, value }) => [name, value]));
}
