import assert from "node:assert/strict";
import type { PolicyResource } from "@pulumi/policy";
import type { Migration } from "../../components/migrations/migration";
import { migrationEntries, migrationEntriesSchema } from "../../components/migrations/migration-entries";
import { colorRecordSchema } from "../../components/release/color-record";
import { policiesFor } from "../../policy/policies";
import { stackFrom } from "../../policy/stack";
import { PRODUCTION, reported, reportedOfStack, resource, STAGING } from "./policies";

describe("the policy on connections to databases", () => {
	it("wants TLS of the provider that declares databases on another machine", async () => {
		const faults = (props: object) =>
			reported("database-provider-encrypted", { type: "pulumi:providers:postgresql", props: { ...props } });
		assert.deepEqual(await faults({ host: "db.internal", sslmode: "disable" }), [
			"the connection to db.internal is sslmode disable: set sslmode to require or verify-full",
		]);
		assert.equal((await faults({ host: "db.internal", sslmode: "prefer" })).length, 1);
		assert.deepEqual(await faults({ host: "db.internal", sslmode: "require" }), []);
		assert.deepEqual(await faults({ host: "127.0.0.1", sslmode: "disable" }), []);
	});

	it("wants TLS of every connection that a step of the deployment is given", async () => {
		const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
		const connection = (host: string, sslMode: string) => ({
			host,
			port: 5432,
			user: "postgres",
			password: "p",
			sslMode,
		});
		const faults = (blue: object, green: object) =>
			reported("database-connection-encrypted", {
				type: "pulumi-nodejs:dynamic/traffic:TrafficSwitch",
				props: { servers: { base: "counting", blue, green }, others: [blue], later: unknown },
			});
		assert.deepEqual(await faults(connection("db.internal", "disable"), connection("::1", "disable")), [
			"the connection to db.internal is sslMode disable: set sslMode to require or verify-full",
		]);
		assert.deepEqual(
			await faults(connection("db.internal", "require"), connection("db2.internal", "verify-full")),
			[],
		);
		assert.deepEqual(
			await faults(connection(unknown, "disable"), connection("/run/postgresql", "disable")),
			[],
		);
	});
});

describe("the policy on what comes before traffic", () => {
	const health = (color: string) =>
		resource(
			"pulumi-nodejs:dynamic/health:ColorHealth",
			`${color}-health`,
			{},
			{
				parent: resource("camera-counting:strategy:ColorStack", color),
			},
		);
	const sides = { live: { color: "green", generation: 2 }, idle: { color: "blue", generation: 1 } };
	const switched = (dependencies: PolicyResource[]) =>
		resource("pulumi-nodejs:dynamic/traffic:TrafficSwitch", "traffic", sides, { dependencies });

	it("wants the health checks of each colour before the switch", async () => {
		const [blue, green] = [health("blue-1"), health("green-2")];
		const all = [blue, green];
		assert.deepEqual(await reportedOfStack("release-health-before-traffic", [...all, switched(all)]), []);
		const stage = resource("pulumi-nodejs:dynamic/pipeline:Stage", "load", {}, { dependencies: [green] });
		assert.deepEqual(
			await reportedOfStack("release-health-before-traffic", [...all, stage, switched([blue, stage])]),
			[],
		);
		assert.deepEqual(
			await reportedOfStack("release-health-before-traffic", [...all, switched([blue, health("green-4")])]),
			[
				"traffic: the switch may give green-2 the traffic without its health checks: let it depend on the ColorHealth of green-2",
			],
		);
	});

	it("wants them after the route of a release in place", async () => {
		const route = resource("pulumi-nodejs:dynamic/traffic:Route", "route");
		const gate = resource("pulumi-nodejs:dynamic/health:HealthGate", "health", {}, { dependencies: [route] });
		assert.deepEqual(await reportedOfStack("release-health-before-traffic", [route, gate]), []);
		assert.deepEqual(await reportedOfStack("release-health-before-traffic", [route]), [
			"route: nothing checks the release that gets the traffic: declare a HealthGate on the route",
		]);
	});
});

describe("the policy on migrations that cannot be undone", () => {
	const migration = (version: string, irreversible?: string): Migration => ({
		version,
		name: "drop_location",
		type: "schema",
		dependsOn: [],
		up: { sql: "ALTER TABLE cameras DROP COLUMN location", transaction: true, line: 1 },
		...(irreversible !== undefined && { irreversible }),
		checksum: "0a".repeat(32),
		path: `migrations/${version}_drop_location.sql`,
	});
	const set = {
		type: "pulumi-nodejs:dynamic/migrations:MigrationSet",
		props: {
			migrations: migrationEntries([migration("1.4.0"), migration("1.5.0", "the locations are gone")]),
		},
	};

	it("wants each approved by name", async () => {
		assert.deepEqual(await reported("release-migrations-approved", set), [
			"migrations that cannot be undone have to be approved by name: 1.5.0 drop_location (the locations are gone); " +
				'set approvedMigrations to "1.5.0"',
		]);
		const approved = { ...PRODUCTION, approvedMigrations: ["1.5.0"] };
		assert.deepEqual(await reported("release-migrations-approved", set, approved), []);
	});

	it("are told to resources, and stay known of a colour from one update to the next", () => {
		const entries = migrationEntries([migration("1.5.0", "the locations are gone")]);
		assert.equal(entries["1.5.0"]?.irreversible, "the locations are gone");
		assert.deepEqual(migrationEntriesSchema.parse(entries), entries);
		assert.deepEqual(colorRecordSchema.shape.migrations.parse(entries), entries);
		assert.deepEqual(Object.keys(migrationEntries([migration("1.4.0")])["1.4.0"] ?? {}), [
			"name",
			"type",
			"checksum",
			"dependsOn",
		]);
	});
});

describe("the policies of a stack", () => {
	const levels = (environment: "development" | "staging" | "production") => [
		...new Set(policiesFor({ ...PRODUCTION, environment }).map(({ enforcementLevel }) => enforcementLevel)),
	];

	it("refuse in staging and production, and advise in development", () => {
		assert.deepEqual(levels("production"), ["mandatory"]);
		assert.deepEqual(levels("staging"), ["mandatory"]);
		assert.deepEqual(levels("development"), ["advisory"]);
	});

	it("have a name each", () => {
		const names = policiesFor(PRODUCTION).map(({ name }) => name);
		assert.deepEqual([...new Set(names)], names);
	});

	it("take the environment and the approvals from the stack config", () => {
		const config = {
			"camera-counting:environment": "staging",
			"camera-counting:approvedMigrations": "1.5.0, 1.6.0",
		};
		assert.deepEqual(stackFrom("camera-counting", config), {
			...STAGING,
			approvedMigrations: ["1.5.0", "1.6.0"],
		});
	});

	it("are those of production where the stack config does not say the environment", () => {
		for (const config of [
			{},
			{ "camera-counting:environment": "prod" },
			{ "other:environment": "development" },
		]) {
			assert.deepEqual(stackFrom("camera-counting", config), PRODUCTION);
		}
	});
});
