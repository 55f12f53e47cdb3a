import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { latestDeployments } from "../../components/catalog/deployments";
import { type RecordedStage, stagesOf } from "../../components/catalog/stages";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { type Connection, withClient } from "../../components/database/connection";
import {
	ensureServer,
	removeServer,
	stopServer,
	superuserConnection,
} from "../../components/database/local/server";
import type { DeploymentContext } from "../../components/pipeline/context";
import { completeDeployment, inStage } from "../../components/pipeline/deployment";
import { plannedStages } from "../../components/pipeline/stage-list";
import { provider } from "../../components/pipeline/stage-provider";
import { type TestDatabase, testDatabase } from "../support/postgres";
import { until } from "../support/waiting";
import { MIGRATION_SETTINGS } from "./migration-settings";

const session = { applicationName: "test" };
const NAME = "Smoke";

describe("a declared stage", () => {
	let target: TestDatabase;
	let catalog: TestDatabase;
	let context: DeploymentContext;

	beforeEach(async () => {
		[target, catalog] = [await testDatabase(), await testDatabase()];
		await withClient(catalog.owner, session, upgradeCatalog);
		context = contextOf(target.owner, catalog.owner);
	});

	afterEach(async () => {
		await completeDeployment(context);
		await target.drop();
		await catalog.drop();
	});

	/** Runs a program of the test's own as the stage. */
	function stage(program: string, changes: object = {}) {
		return provider.create({
			name: NAME,
			when: "after-health",
			command: ["node", "-e", program],
			timeoutSeconds: 30,
			subject: "one",
			due: true,
			completes: true,
			application: { ...target.owner, password: "application-secret" },
			context,
			...changes,
		});
	}

	it("is completed with what it said, and is the end of the deployment where it is the last", async () => {
		await stage('console.log("one"); console.log("two")');
		const { status, stages } = await recorded(catalog.owner);
		assert.equal(status, "completed");
		const smoke = stages.find(({ name }) => name === NAME);
		assert.deepEqual([smoke?.status, smoke?.output, smoke?.error], ["completed", "one\ntwo", undefined]);
		assert.deepEqual(smoke?.config, { command: ["true"], timeoutSeconds: 30 });
	});

	it("is on record as running, with what it has said so far, while it runs", async () => {
		const running = stage('console.log("begun"); setTimeout(() => {}, 2500)');
		await until("the record says so", async () => {
			const { stages } = await recorded(catalog.owner);
			return stages.some(
				({ name, status, output }) => name === NAME && status === "running" && output === "begun",
			)
				? true
				: undefined;
		});
		await running;
	});

	it("reaches the release's database, where a write that nobody thought about fails", async () => {
		const url = JSON.stringify(require.resolve("pg"));
		await stage(`
			const { Client } = require(${url});
			(async () => {
				const client = new Client();
				await client.connect();
				await client.query("BEGIN READ WRITE; CREATE TABLE made (id int); ROLLBACK");
				await client.query("CREATE TABLE left_behind (id int)").catch((error) => console.log(error.code));
				console.log((await client.query("SELECT current_user")).rows[0].current_user);
				await client.end();
			})();`);
		const smoke = (await recorded(catalog.owner)).stages.find(({ name }) => name === NAME);
		assert.equal(smoke?.output, `25006\n${target.owner.user}`);
	});

	it("fails the deployment with its error, without a password in either", async () => {
		await assert.rejects(
			stage(
				'console.log("password " + process.env.PGPASSWORD, process.env.APPLICATION_PGPASSWORD); process.exit(2)',
			),
			/^Error: stage "Smoke": it ended with exit code 2: .*\n {2}password \[secret\] \[secret\]$/,
		);
		const { status, error, stages } = await recorded(catalog.owner);
		assert.deepEqual(
			[status, error],
			[
				"failed",
				'stage "Smoke": it ended with exit code 2: mend what it found, and run the update again; it said last:',
			],
		);
		const smoke = stages.find(({ name }) => name === NAME);
		assert.deepEqual([smoke?.status, smoke?.output], ["failed", "password [secret] [secret]"]);
	});

	it("fails the deployment when it hangs", async () => {
		await assert.rejects(
			stage("setInterval(() => {}, 1000)", { timeoutSeconds: 1 }),
			/stage "Smoke": it did not end within 1 s and was stopped/,
		);
		const { status, stages } = await recorded(catalog.owner);
		const smoke = stages.find(({ name }) => name === NAME);
		assert.deepEqual([status, smoke?.status], ["failed", "failed"]);
		assert.ok(smoke!.durationMs! >= 1000, String(smoke?.durationMs));
	});

	it("fails the deployment when it is killed", async () => {
		await assert.rejects(
			stage("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)"),
			/stage "Smoke": it was ended by SIGKILL/,
		);
		assert.equal((await recorded(catalog.owner)).status, "failed");
	});

	it("does nothing and leaves no record in an update that brings nothing to test", async () => {
		const { outs } = await stage("process.exit(1)", { due: false });
		assert.equal(outs.ranAt, "never");
		assert.equal(
			await withClient(catalog.owner, session, (client) => latestDeployments(client, "staging", 1)).then(
				(rows) => rows.length,
			),
			0,
		);
	});

	it("is run anew for another subject or command, when there is something to test", async () => {
		const { id, outs } = await stage("");
		const changes = async (news: object) => (await provider.diff(id, outs, { ...outs, ...news })).changes;
		assert.equal(await changes({}), false);
		assert.equal(await changes({ timeoutSeconds: 9, url: "http://other" }), false);
		assert.equal(await changes({ subject: "two" }), true);
		assert.equal(await changes({ command: ["true"] }), true);
		assert.equal(await changes({ subject: "two", due: false }), false);
	});
});

describe("a declared stage whose database goes away", () => {
	let directory: string;
	let markers: string;
	let server: Connection;
	const password = randomBytes(12).toString("hex");

	async function start(): Promise<void> {
		const { port } = await ensureServer({ directory, password, maxConnections: 20, timeoutSeconds: 60 });
		server = superuserConnection(port, password);
	}

	beforeEach(async () => {
		directory = mkdtempSync(join(tmpdir(), "counting-away-"));
		chmodSync(directory, 0o755);
		markers = mkdtempSync(join(tmpdir(), "counting-markers-"));
		await start();
		await withClient(server, session, upgradeCatalog);
	});

	afterEach(async () => {
		await removeServer(directory, 30);
		for (const each of [directory, markers]) {
			rmSync(each, { recursive: true, force: true });
		}
	});

	it("fails the update, and the next one puts the record right", async () => {
		const context = contextOf(server, server);
		const [begun, go] = ["begun", "go"].map((name) => join(markers, name)) as [string, string];
		const program = `const fs = require("node:fs"); fs.writeFileSync(${JSON.stringify(begun)}, "");
			setInterval(() => fs.existsSync(${JSON.stringify(go)}) && process.exit(1), 20)`;
		const running = provider.create({
			name: NAME,
			when: "after-health",
			command: ["node", "-e", program],
			timeoutSeconds: 30,
			subject: "one",
			due: true,
			completes: true,
			application: server,
			context,
		});
		const failed = assert.rejects(running, (error: Error) => {
			assert.match(error.message, /^stage "Smoke": it ended with exit code 1/);
			assert.match(error.message, /the catalog could not be told: cannot connect to/);
			return true;
		});
		await until("the stage runs", () => existsSync(begun) || undefined);
		await stopServer(directory, 30);
		writeFileSync(go, "");
		await failed;
		await start();
		assert.equal((await recorded(server)).status, "running");

		await inStage(context, "Health Checks", "health", async () => {});
		const { stages, ...abandoned } = await recorded(server, 1);
		assert.deepEqual(abandoned, { status: "failed", error: "interrupted" });
		assert.deepEqual(
			stages
				.filter(({ status }) => status !== "skipped")
				.map(({ name, status, error }) => [name, status, error]),
			[[NAME, "failed", "interrupted"]],
		);
		await completeDeployment(context);
	});
});

function contextOf(target: Connection, catalog: Connection): DeploymentContext {
	return {
		environment: "staging",
		release: "1.0.0",
		stages: plannedStages("in-place", [
			{ name: NAME, type: "test", command: ["true"], timeoutSeconds: 30, when: "after-health" },
		]),
		settings: {},
		catalog,
		target,
		pipelineName: "counting_test",
		onFailure: "undo",
		targetName: target.database,
		backupDirectory: join(tmpdir(), "counting-no-backups"),
		migrations: MIGRATION_SETTINGS,
	};
}

/** The newest deployment, or an older one. */
async function recorded(
	catalog: Connection,
	age = 0,
): Promise<{ status: string | undefined; error: string | undefined; stages: RecordedStage[] }> {
	return withClient(catalog, session, async (client) => {
		const latest = (await latestDeployments(client, "staging", age + 1))[age];
		return {
			status: latest?.status,
			error: latest?.error,
			stages: latest === undefined ? [] : await stagesOf(client, latest.id),
		};
	});
}
