import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseSettings, SettingsError } from "../../components/settings/settings";

const project = "camera-counting";
const valid: Record<string, string> = {
	environment: "development",
	platform: "local",
	strategy: "in-place",
	release: "1.3.0",
};

function read(changes: Record<string, string | undefined>, secretKeys: string[] = []) {
	const own = Object.entries({ ...valid, ...changes }).filter(
		(entry): entry is [string, string] => entry[1] !== undefined,
	);
	return parseSettings({
		project,
		values: {
			...Object.fromEntries(own.map(([key, value]) => [`${project}:${key}`, value])),
			"aws:region": "eu-west-1",
		},
		secretKeys,
	});
}

function problems(changes: Record<string, string | undefined>, secretKeys?: string[]): readonly string[] {
	try {
		read(changes, secretKeys);
	} catch (error) {
		assert.ok(error instanceof SettingsError);
		return error.problems;
	}
	return assert.fail("the settings were accepted");
}

describe("the stack config", () => {
	it("gives a development environment the seed's values for what it leaves out", () => {
		assert.deepEqual(read({}), {
			environment: "development",
			platform: "local",
			strategy: "in-place",
			release: "1.3.0",
			poolSize: 5,
			maxConnections: 20,
			backupSchedule: "daily",
			monitoring: false,
			alerting: false,
			logLevel: "debug",
			debugMode: true,
			sslMode: "disable",
			migrationsDirectory: "migrations",
			allowOutOfOrder: false,
			serviceEntry: "service/main.ts",
			schemaCompatibility: "same-major",
			startTimeoutSeconds: 60,
			readyTimeoutSeconds: 30,
			drainTimeoutSeconds: 10,
			lockTimeoutSeconds: 2,
			lockRetries: 10,
			statementTimeoutSeconds: 300,
			migrationQueueSeconds: 60,
		});
	});

	it("gives staging and production theirs", () => {
		const { poolSize, maxConnections, backupSchedule, monitoring, alerting, logLevel, debugMode } = read({
			environment: "staging",
		});
		assert.deepEqual(
			[poolSize, maxConnections, backupSchedule, monitoring, alerting, logLevel, debugMode],
			[10, 50, "daily", true, true, "info", false],
		);
		const production = read({ environment: "production", sslMode: "disable" });
		assert.deepEqual(
			[production.poolSize, production.maxConnections, production.backupSchedule, production.logLevel],
			[20, 200, "hourly", "warn"],
		);
	});

	it("prefers what the stack file says", () => {
		assert.equal(read({ poolSize: "7" }).poolSize, 7);
		assert.equal(read({ debugMode: "false" }).debugMode, false);
		assert.equal(read({ gatewayPort: "8080" }).gatewayPort, 8080);
	});

	it("tells every mistake at once", () => {
		assert.deepEqual(problems({ release: undefined, poolSize: "many", debugMode: "yes", color: "blue" }), [
			"camera-counting:release: found nothing; allowed: a version of three numbers, such as 1.3.0",
			'camera-counting:poolSize: found "many"; allowed: a whole number from 1 to 1000',
			'camera-counting:debugMode: found "yes"; allowed: true or false',
			problems({ color: "blue" })[0],
		]);
	});

	const refused: [string, string, RegExp][] = [
		["environment", "dev", /found "dev"; allowed: one of development, staging, production/],
		["platform", "gcp", /found "gcp"; allowed: one of local, docker, aws/],
		["strategy", "canary", /allowed: one of in-place, blue-green/],
		["release", "1.3", /allowed: a version of three numbers/],
		["release", "01.3.0", /allowed: a version of three numbers/],
		["poolSize", "0", /allowed: a whole number from 1 to 1000/],
		["poolSize", "2.5", /allowed: a whole number from 1 to 1000/],
		["maxConnections", "-1", /allowed: a whole number from 1 to 5000/],
		["backupSchedule", "never", /allowed: one of hourly, daily, weekly/],
		["monitoring", "1", /allowed: true or false/],
		["alerting", "on", /allowed: true or false/],
		["logLevel", "trace", /allowed: one of debug, info, warn, error/],
		["sslMode", "prefer", /allowed: one of disable, require, verify-full/],
		["databasePort", "80", /allowed: a whole number from 1024 to 65535/],
		["gatewayPort", "70000", /allowed: a whole number from 1024 to 65535/],
		["migrationsDirectory", "../elsewhere", /allowed: a path inside the project/],
		["serviceEntry", "/etc/passwd", /allowed: a path inside the project/],
		["allowOutOfOrder", "maybe", /allowed: true or false/],
		["schemaCompatibility", "any", /allowed: one of same-major, any-newer/],
		["startTimeoutSeconds", "1", /allowed: a whole number from 5 to 3600 \(seconds\)/],
		["readyTimeoutSeconds", "0", /allowed: a whole number from 1 to 3600 \(seconds\)/],
		["drainTimeoutSeconds", "x", /allowed: a whole number from 1 to 600 \(seconds\)/],
		["lockTimeoutSeconds", "61", /allowed: a whole number from 1 to 60 \(seconds\)/],
		["lockRetries", "101", /allowed: a whole number from 0 to 100/],
		["statementTimeoutSeconds", "", /allowed: a whole number from 1 to 86400 \(seconds\)/],
		["migrationQueueSeconds", "1e3", /allowed: a whole number from 1 to 3600 \(seconds\)/],
	];
	for (const [key, value, message] of refused) {
		it(`refuses ${key} ${JSON.stringify(value)}, naming key, value and what is allowed`, () => {
			const found = problems({ [key]: value });
			assert.equal(found.length, 1);
			assert.match(found[0] ?? "", message);
			assert.ok(found[0]?.startsWith(`camera-counting:${key}: found ${JSON.stringify(value)}`));
		});
	}

	it("tells contradictions together with the other mistakes", () => {
		const found = problems({ logLevel: "loud", alerting: "true", strategy: "blue-green" });
		assert.deepEqual(
			found.map((problem) => problem.split(": found ")[0]),
			["camera-counting:logLevel", "camera-counting:alerting", "camera-counting:strategy"],
		);
	});

	it("suggests the key that was meant", () => {
		assert.deepEqual(problems({ "pool-size": "5" }), [
			"camera-counting:pool-size: unknown key; did you mean poolSize?",
		]);
	});

	it("does not show a value that is kept secret", () => {
		assert.deepEqual(problems({ poolSize: "hunter2" }, [`${project}:poolSize`]), [
			"camera-counting:poolSize: found a secret; allowed: a whole number from 1 to 1000",
		]);
	});

	const contradictions: [string, Record<string, string>, RegExp][] = [
		[
			"a pool larger than two services may hold",
			{ poolSize: "10" },
			/^camera-counting:poolSize: found 10 with maxConnections 20; allowed: at most 9/,
		],
		[
			"debug mode in production",
			{ environment: "production", debugMode: "true", sslMode: "disable" },
			/^camera-counting:debugMode: found true with environment production/,
		],
		[
			"alerting without monitoring",
			{ alerting: "true" },
			/^camera-counting:alerting: found true with monitoring false/,
		],
		[
			"TLS on loopback",
			{ sslMode: "require" },
			/^camera-counting:sslMode: found require with platform local/,
		],
		[
			"one port for two programs",
			{ databasePort: "9000", gatewayPort: "9000" },
			/^camera-counting:gatewayPort: found 9000, which is also databasePort/,
		],
	];
	for (const [what, changes, message] of contradictions) {
		it(`refuses ${what}`, () => {
			const found = problems(changes);
			assert.equal(found.length, 1);
			assert.match(found[0] ?? "", message);
		});
	}

	it("says in one sentence that a platform or strategy cannot be used yet", () => {
		assert.deepEqual(problems({ platform: "aws", strategy: "blue-green" }), [
			"camera-counting:platform: found aws, which this version cannot deploy to yet; allowed: local",
			"camera-counting:strategy: found blue-green, which this version cannot do yet; allowed: in-place",
		]);
	});

	it("refuses a local port on another platform", () => {
		assert.ok(
			problems({ platform: "docker", gatewayPort: "8080" }).some((problem) =>
				problem.startsWith("camera-counting:gatewayPort: found 8080 with platform docker"),
			),
		);
	});

	for (const [file, environment] of [
		["dev", "development"],
		["staging", "staging"],
		["production", "production"],
	]) {
		it(`is written out in Pulumi.${file}.yaml as the ${environment} environment has it by default`, () => {
			const text = readFileSync(join(__dirname, "..", "..", `Pulumi.${file}.yaml`), "utf8");
			const { config } = parse(text) as { config: Record<string, unknown> };
			const committed = Object.fromEntries(
				Object.entries(config).map(([key, value]) => [key.split(":")[1], String(value)]),
			);
			const usable = { ...committed, platform: "local", strategy: "in-place", sslMode: "disable" };
			assert.deepEqual(read(usable), read({ environment, release: committed.release, sslMode: "disable" }));
		});
	}
});
