import assert from "node:assert/strict";
import { deployCommitted } from "./committed";
import { counted, type Declared, declaredOn, nodeInputs, unguarded } from "./declared";

/** What the providers of this machine would have answered. */
function answered(type: string, name: string): Record<string, unknown> {
	switch (type) {
		case "pulumi-nodejs:dynamic/database:GeneratedPassword":
			return { value: "generated" };
		case "pulumi-nodejs:dynamic/database:LocalServer":
			return { host: "127.0.0.1", port: name.endsWith("green") ? 5002 : 5001 };
		case "pulumi-nodejs:dynamic/traffic:Router":
			return { url: "http://127.0.0.1:8000" };
		case "pulumi-nodejs:dynamic/service:Service":
			return { url: "http://127.0.0.1:9000", instance: "instance-1" };
		default:
			return {};
	}
}

/** What the committed local stack declares, with some settings of its own. */
function local(changes: Record<string, string | undefined>): Promise<Declared[]> {
	return declaredOn("local", { answered }, () => deployCommitted("local", changes));
}

const COMMON = {
	"camera-counting:database:ColorServerPair": 1,
	"camera-counting:database:DatabaseServer": 1,
	"camera-counting:database:ApplicationDatabase": 1,
	"camera-counting:catalog:Catalog": 1,
	"camera-counting:monitoring:Watcher": 1,
	"camera-counting:queue:Queue": 1,
	"camera-counting:strategy:ColorStack": 1,
	"pulumi-nodejs:dynamic/database:GeneratedPassword": 9,
	"pulumi-nodejs:dynamic/database:LocalServer": 1,
	"pulumi-nodejs:dynamic/database:LocalServerRunning": 1,
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
	"pulumi-nodejs:dynamic/traffic:Router": 1,
	"pulumi-nodejs:dynamic/service:Service": 1,
	"pulumi-nodejs:dynamic/health:ColorHealth": 1,
	"pulumi-nodejs:dynamic/traffic:TrafficSwitch": 1,
};

describe("a blue-green stack on platform local", () => {
	const environments: [string, Record<string, string>, Record<string, number>, number][] = [
		["development", {}, { "pulumi-nodejs:dynamic/pipeline:Stage": 4 }, 20],
		["staging", {}, { "pulumi-nodejs:dynamic/pipeline:Stage": 7 }, 50],
		[
			"production",
			{ sslMode: "disable" },
			{ "pulumi-nodejs:dynamic/pipeline:Stage": 4, "pulumi-nodejs:dynamic/guards:DestroyGuard": 1 },
			200,
		],
	];
	for (const [environment, settings, own, connections] of environments) {
		it(`declares what an environment ${environment} has, and nothing of other platforms`, async () => {
			const declared = await local({ environment, ...settings });
			assert.deepEqual(counted(declared), { ...COMMON, ...own });
			const server = nodeInputs(declared, "database:LocalServer", "server");
			assert.deepEqual(
				[server.directory, server.maxConnections, server.keptWalGigabytes],
				[".local/local", connections, 16],
			);
		});
	}

	it("begins its destruction in production with the guard, before all else", async () => {
		const declared = await local({ environment: "production", sslMode: "disable" });
		assert.deepEqual(unguarded(declared), []);
		assert.notDeepEqual(unguarded(await local({})), []);
	});

	it("waits for what it uses, and for a service and its checks before it gets the traffic", async () => {
		const declared = await local({});
		const waitsFor = (name: string) => declared.find((each) => each.name === name)?.waitsFor ?? [];
		assert.ok(waitsFor("server-provider").includes("server-running"));
		for (const before of ["blue-1-health", "blue-1-service", "stage-integration-tests"]) {
			assert.ok(waitsFor("traffic").includes(before), before);
		}
	});

	it("gives each colour a server where the stack says so, and a role that is no superuser", async () => {
		const declared = await local({ serverPerColor: "true", withoutSuperuser: "true" });
		assert.equal(counted(declared)["pulumi-nodejs:dynamic/database:LocalServer"], 2);
		const providers = declared.filter(({ type }) => type === "pulumi:providers:postgresql");
		assert.deepEqual(
			providers.map(({ inputs }) => [inputs.username, inputs.port]),
			[
				["deployment", "5001"],
				["deployment", "5002"],
			],
		);
		const roles = declared.filter(({ inputs }) => inputs.name === "counting_local_replication");
		assert.deepEqual(
			roles.map(({ inputs }) => [inputs.replication, inputs.bypassRowLevelSecurity]),
			[
				[true, false],
				[true, false],
			],
		);
	});
});
