import assert from "node:assert/strict";
import { plannedStages } from "../../components/pipeline/stage-list";
import {
	type EnvironmentName,
	environmentDefaults,
	environmentNames,
} from "../../components/settings/environments";
import { parseSettings, SettingsError } from "../../components/settings/settings";
import { policyFindings } from "../../stages/policy";
import { useDevelopment } from "./development";

/** What an environment gets where its stack file says nothing. */
function defaultsOf(environment: EnvironmentName) {
	const { poolSize, maxConnections, backupSchedule, monitoring, alerting, logLevel, debugMode, sslMode } =
		environmentDefaults[environment];
	return { poolSize, maxConnections, backupSchedule, monitoring, alerting, logLevel, debugMode, sslMode };
}

function settingsOf(environment: string, others: Record<string, string> = {}) {
	const own = { environment, platform: "local", strategy: "blue-green", release: "1.3.0", ...others };
	const entries = Object.entries(own).map(([key, value]) => [`camera-counting:${key}`, value]);
	return parseSettings({ project: "camera-counting", values: Object.fromEntries(entries), secretKeys: [] });
}

/** The programs of the stages that an environment runs. */
function programsOf(environment: EnvironmentName): string[] {
	return environmentDefaults[environment].stages.flatMap(({ command }) =>
		command.flatMap((part) => /^stages\/(.*)\.ts$/.exec(part)?.[1] ?? []),
	);
}

describe("the environments", () => {
	const development = useDevelopment();

	it("are development, staging and production, and no other", () => {
		assert.deepEqual(environmentNames, ["development", "staging", "production"]);
		assert.throws(
			() => settingsOf("qa"),
			(error: Error) => {
				assert.ok(error instanceof SettingsError);
				assert.match(
					error.message,
					/environment: found "qa"; allowed: one of development, staging, production/,
				);
				return true;
			},
		);
	});

	it("development: 5 connections in the pool of 20, daily backups, debug mode, neither monitoring nor alerting", () => {
		assert.deepEqual(defaultsOf("development"), {
			poolSize: 5,
			maxConnections: 20,
			backupSchedule: "daily",
			monitoring: false,
			alerting: false,
			logLevel: "debug",
			debugMode: true,
			sslMode: "disable",
		});
	});

	it("staging: 10 connections in the pool of 50, daily backups, monitoring and alerting, log level info", () => {
		assert.deepEqual(defaultsOf("staging"), {
			poolSize: 10,
			maxConnections: 50,
			backupSchedule: "daily",
			monitoring: true,
			alerting: true,
			logLevel: "info",
			debugMode: false,
			sslMode: "disable",
		});
	});

	it("production: 20 connections in the pool of 200, hourly backups, monitoring and alerting, log level warn, TLS required", () => {
		assert.deepEqual(defaultsOf("production"), {
			poolSize: 20,
			maxConnections: 200,
			backupSchedule: "hourly",
			monitoring: true,
			alerting: true,
			logLevel: "warn",
			debugMode: false,
			sslMode: "require",
		});
	});

	it("are recorded in the catalog, one active row for each, with everything but passwords", async () => {
		const rows = await development().project.catalog(
			`SELECT environment_name, environment_type, database_name, database_user, connection_pool_size, max_connections,
				backup_schedule, monitoring_enabled, alerting_enabled, is_active, config_data ->> 'logLevel' AS log_level,
				config_data -> 'debugMode' AS debug_mode
			FROM environment_configs`,
		);
		assert.deepEqual(rows, [
			{
				environment_name: "dev",
				environment_type: "development",
				database_name: "counting_dev",
				database_user: "counting_dev_app",
				connection_pool_size: 5,
				max_connections: 20,
				backup_schedule: "daily",
				monitoring_enabled: false,
				alerting_enabled: false,
				is_active: true,
				log_level: "debug",
				debug_mode: true,
			},
		]);
	});

	it("limit the application's connections in the database itself", async () => {
		assert.deepEqual(
			await development().project.catalog(
				"SELECT rolconnlimit AS most FROM pg_roles WHERE rolname = 'counting_dev_app'",
			),
			[{ most: 20 }],
		);
	});

	it("development deploys with the fewest steps: unit and integration tests, and no colours", () => {
		const programs = programsOf("development");
		assert.ok(programs.includes("database-tests") && programs.includes("api-integration"));
		assert.deepEqual(
			programs.filter((program) => ["load", "security", "compliance"].includes(program)),
			[],
		);
		const names = plannedStages("in-place", environmentDefaults.development.stages).map(({ name }) => name);
		assert.ok(!names.includes("Switch Traffic"));
	});

	it("staging deploys with full testing: every test that any environment runs", () => {
		const programs = programsOf("staging");
		for (const program of [
			...programsOf("development"),
			...programsOf("production"),
			"load",
			"security",
			"compliance",
		]) {
			assert.ok(programs.includes(program), program);
		}
	});

	it("production deploys blue-green, with health checks and integration tests before the switch", () => {
		const { stages } = environmentDefaults.production;
		const names = plannedStages("blue-green", stages).map(({ name }) => name);
		const order = ["Deploy to Environment", "Health Checks", "Integration Tests", "Switch Traffic"];
		assert.deepEqual(
			names.filter((name) => order.includes(name)),
			order,
		);
		for (const program of ["api-integration", "compliance"]) {
			assert.ok(programsOf("production").includes(program), program);
		}
		const inPlace = settingsOf("production", { strategy: "in-place", sslMode: "disable" });
		assert.deepEqual(
			policyFindings("production", inPlace).flatMap(({ name, problem }) => (problem ? [name] : [])),
			['strategy of a production environment: "in-place"'],
		);
	});
});
