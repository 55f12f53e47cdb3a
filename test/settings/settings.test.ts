import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { awsDefaults } from "../../components/settings/aws";
import { featurePaths } from "../../components/settings/feature-paths";
import { withoutSecrets } from "../../components/settings/settings";
import { problems, project, read } from "./read";

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
			bakeSeconds: 5,
			migrationsDirectory: "migrations",
			allowOutOfOrder: false,
			serviceEntry: "service/main.ts",
			schemaCompatibility: "same-major",
			startTimeoutSeconds: 60,
			readyTimeoutSeconds: 30,
			drainTimeoutSeconds: 10,
			featureEndpoints:
				"/cameras?limit=1, /counting-results?cameraId=1&limit=1, " +
				"/counting-results/hourly?cameraId=1&from=2000-01-01T00:00:00Z&to=2000-01-01T01:00:00Z",
			slowConnectionMilliseconds: 1000,
			slowRequestMilliseconds: 2000,
			slowStatementMilliseconds: 1000,
			slowStatementFailMilliseconds: 10_000,
			connectionsWarningPercent: 80,
			connectionsFailPercent: 95,
			lagWarningSeconds: 30,
			lagFailSeconds: 600,
			lockTimeoutSeconds: 2,
			lockRetries: 10,
			statementTimeoutSeconds: 300,
			migrationQueueSeconds: 60,
			serverPerColor: false,
			keptWalGigabytes: 16,
			copyWorkers: 4,
			copyVerification: "checksums",
			copyTimeoutSeconds: 86_400,
			passwordGeneration: 1,
			catchUpTimeoutSeconds: 300,
			slotTimeoutSeconds: 60,
			maxLagKilobytes: 1024,
			longTransactionSeconds: 30,
			endLongTransactions: false,
			pauseTimeoutMilliseconds: 5000,
			bakeMaxErrorPercent: 1,
			bakeMaxLatencyMilliseconds: 1000,
			notifyFormat: "generic",
			promoteFrom: "none",
			approvedMigrations: [],
			protectDatabases: false,
			stages: [
				{
					name: "Run Unit Tests",
					type: "test",
					command: ["node", "--require", "tsx/cjs", "stages/database-tests.ts"],
					timeoutSeconds: 120,
					when: "after-migrations",
				},
				{
					name: "Integration Tests",
					type: "test",
					command: ["node", "--require", "tsx/cjs", "stages/api-integration.ts"],
					timeoutSeconds: 120,
					when: "after-health",
				},
				{
					name: "Cache Tests",
					type: "test",
					command: ["node", "--require", "tsx/cjs", "stages/cache.ts"],
					timeoutSeconds: 60,
					when: "after-health",
				},
				{
					name: "Queue Tests",
					type: "test",
					command: ["node", "--require", "tsx/cjs", "stages/queue.ts"],
					timeoutSeconds: 60,
					when: "after-health",
				},
			],
		});
	});

	it("gives each environment its test stages, which the stack file replaces as a whole", () => {
		const names = (changes: Record<string, string>) => read(changes).stages.map(({ name }) => name);
		assert.deepEqual(names({ environment: "staging" }), [
			"Run Unit Tests",
			"Integration Tests",
			"Cache Tests",
			"Queue Tests",
			"Load Test",
			"Security Scan",
			"Compliance Check",
		]);
		assert.deepEqual(names({ environment: "production", sslMode: "disable" }), [
			"Integration Tests",
			"Cache Tests",
			"Queue Tests",
			"Compliance Check",
		]);
		assert.deepEqual(names({ stages: "[]" }), []);
		const own = { name: "Smoke", command: ["npm", "run", "smoke"], timeoutSeconds: 30 };
		assert.deepEqual(read({ stages: JSON.stringify([own]) }).stages, [
			{ ...own, type: "test", when: "after-health" },
		]);
	});

	it("tells every mistake in the stages with its place", () => {
		const stages = [
			{ name: "Smoke", command: "npm test", timeoutSeconds: 0 },
			{ name: "Smoke 2", command: [], timeoutSeconds: 5, when: "later", retries: 3 },
			"Load",
		];
		assert.deepEqual(problems({ stages: JSON.stringify(stages), logLevel: "loud" }), [
			'camera-counting:logLevel: found "loud"; allowed: one of debug, info, warn, error',
			'camera-counting:stages[0].command: found "npm test"; allowed: a program and its arguments as a list of texts, such as ["npm", "run", "smoke"]',
			"camera-counting:stages[0].timeoutSeconds: found 0; allowed: a whole number from 1 to 86400 (seconds)",
			'camera-counting:stages[1].command: found []; allowed: a program and its arguments as a list of texts, such as ["npm", "run", "smoke"]',
			'camera-counting:stages[1].when: found "later"; allowed: one of after-migrations, after-health',
			"camera-counting:stages[1].retries: unknown key; allowed: name, type, command, timeoutSeconds, when",
			'camera-counting:stages[2]: found "Load"; allowed: a stage: name, command and timeoutSeconds, and where needed type and when',
		]);
	});

	it("refuses stages that cannot be told apart, or that the deployment has itself", () => {
		const stage = (name: string) => ({ name, command: ["true"], timeoutSeconds: 5 });
		assert.deepEqual(
			problems({ stages: JSON.stringify(["Smoke", "smoke", "Health Checks", "rollback"].map(stage)) }),
			[
				'camera-counting:stages[1].name: found "smoke" a second time; allowed: one stage of a name',
				'camera-counting:stages[2].name: found "Health Checks", a stage of the deployment\'s own; allowed: another name',
				'camera-counting:stages[3].name: found "rollback", a stage of the deployment\'s own; allowed: another name',
			],
		);
		for (const text of ["yes", "{}", "3"]) {
			assert.match(
				problems({ stages: text })[0] ?? "",
				/^camera-counting:stages: found .*; allowed: a list of stages/,
			);
		}
	});

	it("does not show stages that are kept secret", () => {
		assert.deepEqual(problems({ stages: "hunter2" }, [`${project}:stages`]), [
			"camera-counting:stages: found a secret; allowed: a list of stages, each with name, command and timeoutSeconds",
		]);
	});

	it("gives staging and production theirs", () => {
		const staging = read({ environment: "staging" });
		const { poolSize, maxConnections, backupSchedule, monitoring, alerting, logLevel, debugMode } = staging;
		assert.deepEqual(
			[poolSize, maxConnections, backupSchedule, monitoring, alerting, logLevel, debugMode],
			[10, 50, "daily", true, true, "info", false],
		);
		assert.equal(staging.bakeSeconds, 30);
		const production = read({ environment: "production", sslMode: "disable" });
		assert.deepEqual(
			[production.poolSize, production.maxConnections, production.backupSchedule, production.logLevel],
			[20, 200, "hourly", "warn"],
		);
		assert.equal(production.bakeSeconds, 60);
	});

	it("prefers what the stack file says", () => {
		assert.equal(read({ poolSize: "7" }).poolSize, 7);
		assert.equal(read({ debugMode: "false" }).debugMode, false);
		assert.equal(read({ gatewayPort: "8080" }).gatewayPort, 8080);
		assert.equal(read({ environment: "staging", bakeSeconds: "0" }).bakeSeconds, 0);
	});

	it("takes the paths that read the service's features, or none", () => {
		const paths = (featureEndpoints: string) => featurePaths(read({ featureEndpoints }).featureEndpoints);
		assert.deepEqual(paths("/cameras?limit=1, /zones"), ["/cameras?limit=1", "/zones"]);
		assert.deepEqual(paths("none"), []);
	});

	it("takes both strategies", () => {
		assert.equal(read({ strategy: "in-place" }).strategy, "in-place");
		assert.equal(read({ strategy: "blue-green" }).strategy, "blue-green");
	});

	const extremes: [string, string, string][] = [
		["copyWorkers", "1", "16"],
		["copyTimeoutSeconds", "60", "604800"],
		["catchUpTimeoutSeconds", "1", "86400"],
		["slotTimeoutSeconds", "1", "3600"],
		["maxLagKilobytes", "1", "1048576"],
		["longTransactionSeconds", "0", "3600"],
		["slowConnectionMilliseconds", "1", "60000"],
		["slowRequestMilliseconds", "1", "60000"],
		["pauseTimeoutMilliseconds", "100", "60000"],
		["bakeSeconds", "0", "3600"],
		["bakeMaxErrorPercent", "0", "100"],
		["bakeMaxLatencyMilliseconds", "1", "60000"],
	];
	for (const [key, least, most] of extremes) {
		it(`takes ${key} from ${least} to ${most} and nothing beyond`, () => {
			const value = (text: string) =>
				Object.entries(read({ [key]: text })).find(([name]) => name === key)?.[1];
			assert.deepEqual([value(least), value(most)], [Number(least), Number(most)]);
			const range = `allowed: a whole number from ${least} to ${most}`;
			for (const beyond of [Number(least) - 1, Number(most) + 1]) {
				const found = problems({ [key]: String(beyond) });
				assert.equal(found.length, 1);
				assert.ok(found[0]?.startsWith(`camera-counting:${key}: found "${beyond}"; ${range}`), found[0]);
			}
		});
	}

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
		["serverPerColor", "2", /allowed: true or false/],
		["copyVerification", "none", /allowed: one of checksums, counts/],
		["endLongTransactions", "always", /allowed: true or false/],
		["maxLagKilobytes", "1MB", /allowed: a whole number from 1 to 1048576 \(kilobytes\)/],
		["pauseTimeoutMilliseconds", "5s", /allowed: a whole number from 100 to 60000 \(milliseconds\)/],
		["bakeMaxErrorPercent", "0.5", /allowed: a whole number from 0 to 100 \(percent\)/],
		["notifyFormat", "teams", /allowed: one of generic, slack/],
		["featureEndpoints", "cameras", /allowed: paths with their query, each beginning with \//],
		["featureEndpoints", "/cameras,,/zones", /allowed: paths with their query/],
		["connectionsFailPercent", "101", /allowed: a whole number from 1 to 100 \(percent\)/],
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
		const found = problems({ logLevel: "loud", alerting: "true", platform: "docker" });
		assert.deepEqual(
			found.map((problem) => problem.split(": found ")[0]),
			[
				"camera-counting:logLevel",
				"camera-counting:alerting",
				"camera-counting:strategy",
				"camera-counting:serviceImage",
			],
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

	it("takes a receiver of notifications as a secret only", () => {
		const secretKeys = [`${project}:notifyUrl`, `${project}:notifySecret`];
		const receiver = {
			notifyUrl: "https://hooks.example.com/x7",
			notifySecret: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
		};
		const { notifyUrl, notifySecret } = read(receiver, secretKeys);
		assert.deepEqual({ notifyUrl, notifySecret }, receiver);
		assert.deepEqual(problems(receiver), [
			"camera-counting:notifyUrl: found a plain text; allowed: a secret, as npm run pulumi -- config set --secret notifyUrl sets it",
			"camera-counting:notifySecret: found a plain text; allowed: a secret, as npm run pulumi -- config set --secret notifySecret sets it",
		]);
		assert.deepEqual(problems({ notifySecret: receiver.notifySecret }, secretKeys), [
			"camera-counting:notifySecret: found a secret without notifyUrl; allowed: only with notifyUrl",
		]);
		const wrong = { notifyUrl: "ftp://x7.example.com", notifySecret: "x7 is too short" };
		assert.deepEqual(problems(wrong, secretKeys), [
			"camera-counting:notifyUrl: found a secret; allowed: an address that begins with https:// or http://, without user and password",
			"camera-counting:notifySecret: found a secret; allowed: 24 to 64 random bytes in base64, as `openssl rand -base64 32` makes them",
		]);
		assert.equal(problems(wrong).length, 4);
		assert.equal(
			problems(wrong).find((problem) => problem.includes("x7")),
			undefined,
		);
	});

	it("keeps the receiver of notifications out of what is recorded of the settings", () => {
		const { notifyFormat, ...shown } = withoutSecrets(
			read({ notifyUrl: "https://a.example" }, [`${project}:notifyUrl`]),
		);
		assert.equal(notifyFormat, "generic");
		assert.equal(
			Object.keys(shown).find((key) => key.startsWith("notify")),
			undefined,
		);
	});

	const contradictions: [string, Record<string, string>, RegExp][] = [
		[
			"a pool larger than two services may hold",
			{ poolSize: "10" },
			/^camera-counting:poolSize: found 10 with maxConnections 20; allowed: at most 8/,
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
			"a failure that comes before its warning",
			{ slowStatementMilliseconds: "500", slowStatementFailMilliseconds: "499" },
			/^camera-counting:slowStatementFailMilliseconds: found 499 with slowStatementMilliseconds 500; allowed: at least that/,
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

	const files: [string, string, string[]][] = [
		["dev", "development", []],
		["staging", "staging", ["serviceImage", "databaseImage", "routerImage"]],
		[
			"production",
			"production",
			[
				"awsAccount",
				"awsRegion",
				"vpcId",
				"publicSubnetIds",
				"privateSubnetIds",
				"runnerSecurityGroupId",
				"runnerCidrs",
				"domainName",
				"hostedZoneId",
				"certificateArn",
				"serviceImage",
				"alarmEmails",
			],
		],
	];
	for (const [file, environment, own] of files) {
		it(`is written out in Pulumi.${file}.yaml as the ${environment} environment has it by default`, () => {
			const text = readFileSync(join(__dirname, "..", "..", `Pulumi.${file}.yaml`), "utf8");
			const { config } = parse(text) as { config: Record<string, unknown> };
			const committed = Object.fromEntries(
				Object.entries(config).map(([key, value]) => [key.split(":")[1], String(value)]),
			);
			const { release, strategy, platform } = committed;
			const needed = Object.fromEntries(own.map((key) => [key, committed[key]]));
			const completed = read(committed);
			const defaults = read({ environment, platform, release, strategy, ...needed });
			const shown = platform === "aws" ? { ...awsDefaults, ...defaults } : defaults;
			assert.deepEqual({ ...(platform === "aws" && awsDefaults), ...completed }, shown);
		});
	}
});
