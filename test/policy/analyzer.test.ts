import assert from "node:assert/strict";
import { Analyzer } from "./analyzer";
import { urnOf } from "./policies";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

describe("the policy pack, as the Pulumi CLI runs it", () => {
	let analyzer: Analyzer;

	before(async () => {
		analyzer = await Analyzer.start({
			"camera-counting:environment": "production",
			"camera-counting:approvedMigrations": "1.5.0",
		});
	});

	after(() => analyzer?.end());

	const database = (properties: object) => ({
		type: "aws:rds/instance:Instance",
		name: "server",
		properties: {
			engine: "postgres",
			storageEncrypted: true,
			kmsKeyId: UNKNOWN,
			deletionProtection: true,
			finalSnapshotIdentifier: "counting-final",
			backupRetentionPeriod: 14,
			parameterGroupName: UNKNOWN,
			tags: { Project: "camera-counting", Environment: "production" },
			...properties,
		},
	});

	it("refuses a resource by every rule that it breaks", async () => {
		const broken = database({ storageEncrypted: false, publiclyAccessible: true, tags: {} });
		assert.deepEqual(await analyzer.analyze(broken), [
			"mandatory aws-database-encrypted: storage is not encrypted: set storageEncrypted to true",
			"mandatory aws-database-private: the database has a public address: set publiclyAccessible to false",
			"mandatory aws-tags: tag Project is missing: set it to camera-counting",
			"mandatory aws-tags: tag Environment is missing: set it to production",
		]);
	});

	it("lets one through of which a preview does not know yet which key and which parameters it gets", async () => {
		assert.deepEqual(await analyzer.analyze(database({})), []);
	});

	it("says which rule cannot be asked before the update", async () => {
		const [told, ...more] = await analyzer.analyze(database({ storageEncrypted: UNKNOWN }));
		assert.match(
			told ?? "",
			/^advisory aws-database-encrypted: can't run .* during preview: .*storageEncrypted/,
		);
		assert.deepEqual(more, []);
	});

	it("looks at a container's labels though a preview does not know all of them", async () => {
		const container = {
			type: "docker:index/container:Container",
			name: "service",
			properties: {
				image: `counting-api@sha256:${"0a".repeat(32)}`,
				labels: [
					{ label: "files", value: UNKNOWN },
					{ label: "queue", value: "postgres://queue:a-secret-of-the-test@db/queue" },
				],
			},
		};
		assert.deepEqual(await analyzer.analyze(container), [
			"mandatory docker-no-plain-secret: label queue holds a password in plain text: hand it over as a file",
		]);
	});

	it("looks into secrets, and repeats none", async () => {
		const connection = {
			host: "db.internal",
			port: 5432,
			user: "postgres",
			password: "p",
			sslMode: "disable",
		};
		const service = {
			type: "pulumi-nodejs:dynamic:Service",
			name: "service",
			properties: { database: { ...SECRET, value: connection }, queue: UNKNOWN },
		};
		assert.deepEqual(await analyzer.analyze(service), [
			"mandatory database-connection-encrypted: the connection to db.internal is sslMode disable: set sslMode to require or verify-full",
		]);
	});

	it("knows the approvals of the stack config", async () => {
		const entry = {
			name: "drop_location",
			type: "schema",
			checksum: "0a",
			dependsOn: [],
			irreversible: "gone",
		};
		const faults = (version: string) =>
			analyzer.analyze({
				type: "pulumi-nodejs:dynamic/migrations:MigrationSet",
				name: "green-2-migrations",
				properties: { databaseName: UNKNOWN, migrations: { [version]: entry } },
			});
		assert.deepEqual(await faults("1.5.0"), []);
		assert.deepEqual(await faults("1.6.0"), [
			"mandatory release-migrations-approved: migrations that cannot be undone have to be approved by name: " +
				'1.6.0 drop_location (gone); set approvedMigrations to "1.5.0, 1.6.0"',
		]);
	});

	it("sees by a stack's dependencies whether a colour is examined before the switch", async () => {
		const stack = { type: "camera-counting:strategy:ColorStack", name: "green-2", properties: {} };
		const health = {
			type: "pulumi-nodejs:dynamic/health:ColorHealth",
			name: "green-2-health",
			properties: { url: UNKNOWN },
			parent: urnOf(stack.type, stack.name),
		};
		const traffic = {
			type: "pulumi-nodejs:dynamic/traffic:TrafficSwitch",
			name: "traffic",
			properties: { live: { color: "green", generation: 2, url: UNKNOWN }, publicUrl: UNKNOWN },
		};
		const after = { ...traffic, dependencies: [urnOf(health.type, health.name)] };
		assert.deepEqual(await analyzer.analyzeStack([stack, health, after]), []);
		assert.deepEqual(await analyzer.analyzeStack([stack, health, traffic]), [
			"mandatory release-health-before-traffic: the switch may give green-2 the traffic without its health checks: " +
				"let it depend on the ColorHealth of green-2",
		]);
	});
});
