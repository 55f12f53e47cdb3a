import assert from "node:assert/strict";
import { policiesFor } from "../../policy/policies";
import { reported, STAGING } from "../policy/policies";
import { deployCommitted } from "./committed";
import { counted, type Declared, declaredOn, unguarded } from "./declared";

const CONTAINER = "docker:index/container:Container";

/** What a Docker engine would have answered. */
function answered(type: string, name: string): Record<string, unknown> {
	switch (type) {
		case "pulumi-nodejs:dynamic/database:GeneratedPassword":
			return { value: "generated" };
		case "docker:index/network:Network":
			return { ipamConfigs: [{ gateway: "172.20.0.1", subnet: "172.20.0.0/16" }] };
		case CONTAINER:
			return name.startsWith("counting-") ? { name } : {};
		case "pulumi-nodejs:dynamic/docker:HostPort":
			return { port: 40_000 };
		default:
			return {};
	}
}

/** What the committed staging stack declares, with some settings of its own. */
function staging(changes: Record<string, string> = {}): Promise<Declared[]> {
	return declaredOn("staging", { answered }, () => deployCommitted("staging", changes));
}

describe("the staging stack on platform docker", () => {
	let declared: Declared[];

	before(async () => {
		declared = await staging();
	});

	const named = (type: string, name: string, among = declared): Declared => {
		const found = among.filter((each) => each.type === type && each.name === name);
		assert.equal(found.length, 1, `${type} ${name}`);
		return found[0]!;
	};
	const fromDocker = (among: Declared[]) =>
		Object.fromEntries(Object.entries(counted(among)).filter(([type]) => /docker/i.test(type)));

	it("declares one engine and network, and a container each for the server, the router and the service", () => {
		assert.deepEqual(fromDocker(declared), {
			"camera-counting:docker:DockerHost": 1,
			"camera-counting:docker:FilledVolume": 3,
			"pulumi-nodejs:dynamic/docker:HostPort": 1,
			"pulumi:providers:docker": 1,
			"docker:index/network:Network": 1,
			// The server's rows, where the router sends requests, and the files of each of the three.
			"docker:index/volume:Volume": 5,
			// Each of the three, and what fills its volume of files.
			[CONTAINER]: 6,
		});
	});

	it("keeps the rules of the policy pack", async () => {
		const found: string[] = [];
		for (const { type, name, inputs } of declared) {
			for (const rule of policiesFor(STAGING).filter((policy) => "validateResource" in policy)) {
				const messages = await reported(rule.name, { type, props: inputs }, STAGING);
				found.push(...messages.map((message) => `${rule.name} ${name}: ${message}`));
			}
		}
		assert.deepEqual(found, []);
	});

	it("begins its destruction in production with the guard, before all else", async () => {
		assert.deepEqual(unguarded(await staging({ environment: "production", sslMode: "disable" })), []);
	});

	it("declares nothing of platform local, and of everything else as much as that does", () => {
		const others = Object.entries(counted(declared)).filter(([type]) => !/docker|Container/i.test(type));
		assert.deepEqual(Object.fromEntries(others), {
			"camera-counting:database:ColorServerPair": 1,
			"camera-counting:database:DatabaseServer": 1,
			"camera-counting:database:ApplicationDatabase": 1,
			"camera-counting:catalog:Catalog": 1,
			"camera-counting:monitoring:Watcher": 1,
			"camera-counting:queue:Queue": 1,
			"camera-counting:strategy:ColorStack": 1,
			"pulumi-nodejs:dynamic/database:GeneratedPassword": 9,
			"pulumi-nodejs:dynamic/database:ServerAnswers": 1,
			"pulumi:providers:postgresql": 1,
			"postgresql:index/extension:Extension": 1,
			"postgresql:index/role:Role": 8,
			"postgresql:index/database:Database": 3,
			"postgresql:index/grant:Grant": 9,
			"postgresql:index/defaultPrivileges:DefaultPrivileges": 3,
			"pulumi-nodejs:dynamic/queue:QueueSchema": 1,
			"pulumi-nodejs:dynamic/catalog:CatalogSchema": 1,
			"pulumi-nodejs:dynamic/replication:DatabaseCopy": 1,
			"pulumi-nodejs:dynamic/migrations:MigrationSet": 1,
			"pulumi-nodejs:dynamic/pipeline:Stage": 7,
			"pulumi-nodejs:dynamic/service:ServiceReady": 1,
			"pulumi-nodejs:dynamic/health:ColorHealth": 1,
			"pulumi-nodejs:dynamic/traffic:TrafficSwitch": 1,
		});
	});

	it("publishes ports on the host's loopback only", () => {
		const published = declared
			.filter(({ type, inputs }) => type === CONTAINER && inputs.ports !== undefined)
			.map(({ name, inputs }) => [name, inputs.ports]);
		assert.deepEqual(Object.fromEntries(published), {
			"server-container": [{ internal: 5432, external: 15_432, ip: "127.0.0.1" }],
			"router-container": [
				{ internal: 8080, external: 8080, ip: "127.0.0.1" },
				{ internal: 9999, external: 19_999, ip: "127.0.0.1" },
			],
			"counting-staging-blue-1": [{ internal: 8080, external: 40_000, ip: "127.0.0.1" }],
		});
	});

	it("lets containers do no more than they must", () => {
		const running = declared.filter(({ type, inputs }) => type === CONTAINER && inputs.start !== false);
		assert.equal(running.length, 3);
		for (const { name, inputs } of running) {
			const { readOnly, securityOpts, capabilities, restart } = inputs;
			assert.deepEqual(
				{ readOnly, securityOpts, capabilities, restart },
				{
					readOnly: true,
					securityOpts: ["no-new-privileges"],
					capabilities: {
						drops: ["ALL"],
						...(name === "server-container" && {
							adds: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETGID", "CAP_SETUID"],
						}),
					},
					restart: "unless-stopped",
				},
			);
		}
	});

	it("gives passwords as files", () => {
		const inEnvironment = declared.filter(
			({ type, inputs }) => type === CONTAINER && /generated/.test(JSON.stringify(inputs.envs ?? [])),
		);
		assert.deepEqual(inEnvironment, []);
		const { envs, image, volumes } = named(CONTAINER, "counting-staging-blue-1").inputs;
		assert.equal(image, "counting-api:1.3.0");
		assert.deepEqual(volumes, [
			{ volumeName: "counting-staging-blue-1-secrets", containerPath: "/run/secrets", readOnly: true },
		]);
		assert.deepEqual(
			(envs as string[]).filter((variable) => /PASSWORD/.test(variable)),
			["PGPASSWORD_FILE=/run/secrets/database", "QUEUE_PGPASSWORD_FILE=/run/secrets/queue"],
		);
	});

	it("tells services and servers each other's addresses in the network, and keeps its own", () => {
		const { envs } = named(CONTAINER, "counting-staging-blue-1").inputs;
		assert.ok((envs as string[]).includes("PGHOST=counting-staging-database"));
		assert.ok((envs as string[]).includes("PGPORT=5432"));
		const { host, port, sslmode } = named("pulumi:providers:postgresql", "server-provider").inputs;
		assert.deepEqual([host, Number(port), sslmode], ["127.0.0.1", 15_432, "disable"]);
		const { live, router } = named("pulumi-nodejs:dynamic/traffic:TrafficSwitch", "traffic").inputs;
		assert.equal((live as { url: string }).url, "http://counting-staging-blue-1:8080");
		assert.deepEqual(router, {
			kind: "haproxy",
			host: "127.0.0.1",
			port: 19_999,
			stateFile: "/var/lib/haproxy/state.map",
		});
	});

	it("makes no volume before its network, which a stack of the same name would have already", () => {
		const volumes = declared.filter(({ type }) => type === "docker:index/volume:Volume");
		for (const { name, waitsFor } of volumes) {
			assert.ok(waitsFor.includes("docker-network"), `${name}: ${waitsFor.join(", ")}`);
		}
	});

	it("waits for a server before it uses it, and for a service and its checks before it gets the traffic", () => {
		assert.deepEqual(
			named("pulumi:providers:postgresql", "server-provider").waitsFor.includes("server-answers"),
			true,
		);
		const traffic = named("pulumi-nodejs:dynamic/traffic:TrafficSwitch", "traffic").waitsFor;
		for (const before of ["blue-1-health", "stage-integration-tests", "stage-load-test"]) {
			assert.ok(traffic.includes(before), `${before} is not among ${traffic.join(", ")}`);
		}
	});

	const environments: [string, Record<string, string>, boolean, string][] = [
		["development", { poolSize: "5", maxConnections: "20" }, false, "max_connections=112"],
		["staging", {}, false, "max_connections=172"],
		[
			"production",
			{ sslMode: "disable", poolSize: "20", maxConnections: "200" },
			true,
			"max_connections=472",
		],
	];
	for (const [environment, settings, kept, connections] of environments) {
		it(`${kept ? "keeps" : "does not keep"} the rows of an environment ${environment} when the stack goes`, async () => {
			const own = await staging({ ...settings, environment });
			assert.deepEqual(fromDocker(own), fromDocker(declared));
			const { command } = named(CONTAINER, "server-container", own).inputs;
			assert.ok((command as string[]).includes(connections), String(command));
			const data = own.find(
				({ type, name }) => type === "docker:index/volume:Volume" && name === "server-data",
			);
			assert.equal(data?.retained, kept);
			const guards = own.filter(({ type }) => type.endsWith(":DestroyGuard"));
			assert.equal(guards.length, kept ? 1 : 0);
		});
	}

	it("gives each colour a server where the stack says so", async () => {
		const two = await staging({ serverPerColor: "true" });
		assert.deepEqual(fromDocker(two), {
			"camera-counting:docker:DockerHost": 1,
			"camera-counting:docker:FilledVolume": 4,
			"pulumi-nodejs:dynamic/docker:HostPort": 1,
			"pulumi:providers:docker": 1,
			"docker:index/network:Network": 1,
			"docker:index/volume:Volume": 7,
			[CONTAINER]: 8,
		});
		const { name, ports } = named(CONTAINER, "server-green-container", two).inputs;
		assert.deepEqual(
			[name, ports],
			["counting-staging-database-green", [{ internal: 5432, external: 15_433, ip: "127.0.0.1" }]],
		);
	});
});
