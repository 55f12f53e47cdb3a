import assert from "node:assert/strict";
import { closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { type Connection, withClient } from "../../components/database/connection";
import { describeCheck, overallStatus } from "../../components/health/check-result";
import { environmentHealth, healthText } from "../../components/health/environment-health";
import { provider } from "../../components/health/health-gate-provider";
import { HealthFailure, passChecks, type Trial } from "../../components/health/pass-checks";
import { readHealth } from "../../components/health/reported-health";
import { openWindow, windowOf } from "../../components/health/statement-window";
import { UnhealthyResource } from "../../components/provider/unhealthy";
import { MIGRATION_SETTINGS } from "../pipeline/migration-settings";
import { type TestDatabase, testDatabase, testServer } from "../support/postgres";
import { countStatements, LIMITS, subjectOf } from "./examined";
import { type HttpService, httpService } from "./http-service";

const SESSION = { applicationName: "test" };

describe("the health of a whole", () => {
	it("is that of its worst check", () => {
		const of = (...statuses: ("PASS" | "WARNING" | "FAIL")[]) =>
			overallStatus(statuses.map((status) => ({ status })));
		assert.deepEqual(
			[of(), of("PASS", "PASS"), of("PASS", "WARNING"), of("FAIL", "WARNING", "PASS")],
			["PASS", "PASS", "WARNING", "FAIL"],
		);
	});
});

describe("a release that is examined in a deployment", () => {
	let administrator: Connection;
	let database: TestDatabase;
	let catalog: TestDatabase;
	let service: HttpService;
	let trial: Trial;
	let told: string[];

	beforeEach(async () => {
		administrator = await testServer();
		[database, catalog, service] = [await testDatabase(), await testDatabase(), await httpService("1.4.0")];
		await countStatements(administrator);
		told = [];
		const deploymentId = await withClient(catalog.owner, SESSION, async (client) => {
			await upgradeCatalog(client);
			return openDeployment(client, {
				pipelineName: "counting",
				release: "1.4.0",
				environment: "staging",
				triggeredBy: "test",
				config: {},
			});
		});
		trial = {
			subject: subjectOf(administrator, database.owner),
			url: service.url,
			release: "1.4.0",
			timeoutSeconds: 10,
			deploymentId,
			context: { catalog: catalog.owner, environment: "staging" },
			log: (line) => told.push(line),
		};
	});

	afterEach(async () => {
		await service.stop();
		await database.drop();
		await catalog.drop();
	});

	const recorded = () =>
		withClient(catalog.owner, SESSION, async (client) => {
			const { rows } = await client.query(
				`SELECT pipeline_id::int = $1 AS own, environment, color, check_name || ' ' || status AS found
				FROM deployment_health_checks ORDER BY id`,
				[trial.deploymentId],
			);
			return rows;
		});

	const PASSED = [
		"database_connectivity PASS",
		"api_endpoints PASS",
		"performance PASS",
		"connections PASS",
		"migrations PASS",
	];

	it("passes when every check does, and that is written down with the deployment", async () => {
		const results = await passChecks(trial);
		assert.equal(overallStatus(results), "PASS", results.map(describeCheck).join("\n"));
		assert.deepEqual(
			await recorded(),
			PASSED.map((found) => ({ own: true, environment: "staging", color: null, found })),
		);
		assert.deepEqual(told, []);
	});

	it("passes with warnings, which are told", async () => {
		const subject = { ...trial.subject, limits: { ...LIMITS, slowRequestMs: 0 } };
		assert.equal(overallStatus(await passChecks({ ...trial, subject })), "WARNING");
		assert.match(told.join("\n"), /^WARNING api_endpoints [\d.]+ ms: release 1\.4\.0 answers at 4 endpoints/);
	});

	it("has time to become ready", async () => {
		service.answers["/readyz"] = { status: 503, body: {} };
		setTimeout(() => {
			service.answers["/readyz"] = { status: 200, body: {} };
		}, 500);
		assert.equal(overallStatus(await passChecks(trial)), "PASS");
		assert.equal((await recorded()).length, PASSED.length);
	});

	it("fails for a single check when its time is over, and that is written down as well", async () => {
		service.answers["/cameras?limit=1"] = { status: 500, body: {} };
		await assert.rejects(passChecks({ ...trial, timeoutSeconds: 1 }), (error: HealthFailure) => {
			assert.ok(error instanceof HealthFailure);
			assert.equal(
				error.message,
				`${service.url} is not healthy after 1 s: api_endpoints: /cameras?limit=1 answered 500 {}`,
			);
			return true;
		});
		const found = (await recorded()).map((row) => row.found);
		assert.deepEqual(found, ["database_connectivity PASS", "api_endpoints FAIL", ...PASSED.slice(2)]);
	});

	it("does not wait for what stays as it is", async () => {
		const migrations = { "1.0.0": { name: "create_cameras", checksum: "0".repeat(64) } };
		const subject = { ...trial.subject, migrations };
		await assert.rejects(
			passChecks({ ...trial, subject, timeoutSeconds: 3600 }),
			/is not healthy: migrations: 1\.0\.0 create_cameras is not applied: run the update again$/,
		);
	});

	it("is examined again while a deployment is open, as one is whose update died", async () => {
		const gate = {
			url: trial.url,
			release: "1.4.0",
			timeoutSeconds: 10,
			targetGroup: "1.4.0-a",
			targetUrl: trial.url,
			previousGroup: "",
			previousUrl: "",
			routerFile: "state.json",
			routedBy: trial.deploymentId,
			plan: "migrate-first",
			migratedBy: trial.deploymentId,
			subject: trial.subject,
			completes: true,
			context: {
				environment: "staging",
				pipelineName: "counting",
				release: "1.4.0",
				catalog: catalog.owner,
				target: database.owner,
				targetName: "counting",
				backupDirectory: "backups",
				onFailure: "undo",
				migrations: MIGRATION_SETTINGS,
			},
		};
		const examined = { ...gate, checkedAt: new Date(0).toISOString(), statuses: {} };
		const isDue = async (olds: object) => (await provider.diff("healthy", olds, gate)).changes;
		assert.equal(await isDue(examined), true);
		await withClient(catalog.owner, SESSION, (client) =>
			closeDeployment(client, trial.deploymentId, { status: "completed" }),
		);
		assert.equal(await isDue(examined), false);
		const away = { ...examined, context: { ...gate.context, catalog: { ...catalog.owner, port: 1 } } };
		assert.equal(await isDue(away), false);
	});

	it("is judged by the statements since its service began", async () => {
		const run = (sql: string) => withClient(database.owner, SESSION, (client) => client.query(sql));
		await run("SELECT pg_sleep(0.8)");
		await openWindow(administrator, database.owner);
		await run("SELECT pg_sleep(0.2)");
		const subject = { ...trial.subject, limits: { ...LIMITS, slowStatementMs: 150 } };
		const results = await passChecks({ ...trial, subject, since: windowOf(database.owner)! });
		const performance = results.find(({ check }) => check === "performance");
		assert.equal(performance?.status, "WARNING");
		assert.match(performance.detail, /, of 1 execution of SELECT pg_sleep\(\$1\); 1 of them from 150 ms on/);
	});

	it("is not held up by a catalog that is gone", async () => {
		const context = {
			catalog: { ...catalog.owner, database: "no_such_catalog" },
			environment: "staging" as const,
		};
		assert.equal(overallStatus(await passChecks({ ...trial, context })), "PASS");
		assert.match(told.join("\n"), /^the catalog could not be told: cannot connect to /);
	});

	describe("and is looked at again later", () => {
		const outputs = { checkedAt: "2026-01-01T00:00:00.000Z", statuses: {} };

		it("is shown as it is then, with nothing written down", async () => {
			const { checkedAt, statuses } = await readHealth(outputs, trial);
			assert.equal(checkedAt, outputs.checkedAt);
			assert.deepEqual(
				Object.entries(statuses).map(([check, status]) => `${check} ${status}`),
				PASSED,
			);
			assert.deepEqual(await recorded(), []);
		});

		it("is an unhealthy resource when a check fails, with what it found", async () => {
			await service.stop();
			await assert.rejects(readHealth(outputs, trial), (error: UnhealthyResource) => {
				assert.ok(error instanceof UnhealthyResource);
				assert.equal(error.message, "release 1.4.0 is not healthy");
				assert.match(error.reasons.join("\n"), /^FAIL api_endpoints: \/healthz: .*ECONNREFUSED.*$/);
				assert.equal(
					(error.outputs as typeof outputs & { statuses: Record<string, string> }).statuses.api_endpoints,
					"FAIL",
				);
				return true;
			});
		});

		it("is reported with each check, in words and as data", async () => {
			const found = await environmentHealth({
				url: service.url,
				generations: {},
				releases: [{ release: "1.4.0", url: "http://127.0.0.1:1", subject: trial.subject }],
			});
			assert.deepEqual(
				found.map(({ checks, ...release }) => ({ ...release, checks: checks.length })),
				[{ release: "1.4.0", live: true, url: service.url, status: "PASS", checks: 5 }],
			);
			assert.match(
				healthText(found),
				new RegExp(`^PASS release 1\\.4\\.0, ${service.url}\n  PASS database_connectivity [\\d.]+ ms: `),
			);
		});

		it("is an error where nothing is deployed", async () => {
			await assert.rejects(
				environmentHealth({ url: service.url, generations: {}, releases: [] }),
				/no release is deployed/,
			);
		});
	});
});
