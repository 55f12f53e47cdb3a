import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { stackAccess } from "../../components/release/stack-access";
import { onEachEngine } from "../support/engines";
import { finished, query, TestProject } from "../support/project";

onEachEngine("a release", (engine) => {
	let project: TestProject;

	beforeEach(async () => {
		project = new TestProject(engine);
		await project.init();
	});

	afterEach(() => project.remove());

	it("comes up from nothing, is recorded, and a second update changes nothing", async () => {
		const preview = await project.must("preview", "-s", "dev");
		assert.match(preview.output, /apply 1\.0\.0 create_initial_schema \(schema; in a transaction\)/);
		assert.match(
			preview.output,
			/apply 1\.3\.0 add_performance_indexes \(index; statement by statement, outside a transaction/,
		);
		assert.match(preview.output, /CREATE INDEX CONCURRENTLY/);
		assert.deepEqual(existing(project, "postgres", "gateway", "service"), []);

		const first = await project.up();
		assert.equal(first.code, 0, first.output);
		const outputs = await project.outputs();
		assert.equal(outputs.release, "1.3.0");
		assert.deepEqual(await get(`${outputs.url}/version`), {
			service: "counting-api",
			release: "1.3.0",
			requiredSchema: "1.3.0",
			schema: "1.3.0",
		});

		const migrations = await project.catalog(
			`SELECT migration_version, migration_type, status, is_applied, rollback_sql IS NOT NULL AS reversible
			FROM deployment_migrations ORDER BY id`,
		);
		assert.deepEqual(
			migrations.map((row) => Object.values(row)),
			[
				["1.0.0", "schema", "completed", true, true],
				["1.1.0", "schema", "completed", true, true],
				["1.2.0", "schema", "completed", true, true],
				["1.3.0", "index", "completed", true, true],
			],
		);
		assert.deepEqual(
			await project.catalog(
				"SELECT pipeline_version, environment, status, error_message FROM deployment_pipelines",
			),
			[{ pipeline_version: "1.3.0", environment: "development", status: "completed", error_message: null }],
		);
		assert.deepEqual(
			await project.catalog(
				`SELECT environment_name, environment_type, connection_pool_size, max_connections, backup_schedule,
					monitoring_enabled, alerting_enabled, config_data ->> 'logLevel' AS log_level FROM environment_configs`,
			),
			[
				{
					environment_name: "dev",
					environment_type: "development",
					connection_pool_size: 5,
					max_connections: 20,
					backup_schedule: "daily",
					monitoring_enabled: false,
					alerting_enabled: false,
					log_level: "debug",
				},
			],
		);

		const processes = project.processes().sort();
		assert.equal((await project.up("--expect-no-changes")).code, 0);
		const again = await project.must("preview", "--expect-no-changes", "-s", "dev");
		assert.doesNotMatch(again.output, /apply |undo /);
		assert.deepEqual(project.processes().sort(), processes);
		assert.equal((await project.catalog("SELECT id FROM deployment_pipelines")).length, 1);
		await assertWatchable(project);
	});

	it("gives the application rows and nothing else", async () => {
		await up(project);
		const { databaseHost, databasePort, databaseName, databaseUser, databasePassword } =
			await project.outputs();
		const application = {
			host: databaseHost,
			port: databasePort,
			database: databaseName,
			user: databaseUser,
			password: databasePassword,
			sslMode: "disable" as const,
		};
		await query(application, "INSERT INTO cameras (camera_name) VALUES ('gate')");
		await query(application, "UPDATE cameras SET location = 'north'");
		assert.deepEqual(await query(application, "SELECT camera_name, location FROM cameras"), [
			{ camera_name: "gate", location: "north" },
		]);
		await query(application, "DELETE FROM cameras");
		for (const forbidden of [
			"CREATE TABLE mine (id int)",
			"TRUNCATE cameras CASCADE",
			"ALTER TABLE cameras ADD COLUMN x int",
			"SELECT * FROM deployment.schema_migrations",
		]) {
			await assert.rejects(query(application, forbidden), /permission denied|must be owner/, forbidden);
		}
		await assert.rejects(
			query({ ...application, database: "counting_dev_catalog" }, "SELECT 1"),
			/permission denied for database/,
		);
	});

	it("is put back with its rows saved, raised again, and destroyed without a trace", async () => {
		await up(project);
		const { url } = await project.outputs();
		const camera = (await post(`${url}/cameras`, { cameraName: "gate" })) as { id: number };
		await post(`${url}/counting-results`, { cameraId: camera.id, countType: "person", countValue: 7 });

		project.configure({ release: "1.1.0" });
		const preview = await project.must("preview", "-s", "dev");
		assert.match(
			preview.output,
			/undo 1\.3\.0[\s\S]*undo 1\.2\.0[\s\S]*saves first what it destroys of counting_results/,
		);
		const back = await up(project);
		assert.match(back, /counting_results/);
		assert.equal((await get<{ release: string }>(`${url}/version`)).release, "1.1.0");
		assert.deepEqual(await project.database("SELECT to_regclass('counting_results') AS gone"), [
			{ gone: null },
		]);
		const backups = readdirSync(project.path(".local", "dev", "backups"));
		assert.equal(backups.length, 1);
		const backup = project.path(".local", "dev", "backups", backups[0] ?? "");
		assert.equal(statSync(backup).mode & 0o777, 0o600);
		assert.match(readFileSync(backup, "utf8"), /person\t7/);
		assert.deepEqual(
			await project.catalog(
				"SELECT migration_version FROM deployment_migrations WHERE status = 'rolled_back' ORDER BY 1",
			),
			[{ migration_version: "1.2.0" }, { migration_version: "1.3.0" }],
		);

		project.configure({ release: "1.3.0" });
		await up(project);
		assert.equal((await get<{ schema: string }>(`${url}/version`)).schema, "1.3.0");
		assert.deepEqual(
			(await get<{ cameras: { cameraName: string }[] }>(`${url}/cameras`)).cameras.map(
				({ cameraName }) => cameraName,
			),
			["gate"],
		);
		assert.equal((await project.must("preview", "--expect-no-changes", "-s", "dev")).code, 0);
		await project.restore(backup);
		assert.deepEqual(await project.database("SELECT count_type, count_value FROM counting_results"), [
			{ count_type: "person", count_value: 7 },
		]);

		await project.must("destroy", "--yes", "--skip-preview", "-s", "dev");
		assert.deepEqual(project.processes(), []);
		assert.equal(existsSync(project.path(".local", "dev")), false);
	});

	it("is put back although the files of its migrations are gone", async () => {
		project.migration(
			"1.4.0_add_zones.sql",
			"-- type: schema\n\n-- migrate:up\nCREATE TABLE zones (id int PRIMARY KEY);\n\n-- migrate:down\nDROP TABLE zones;\n",
		);
		project.configure({ release: "1.4.0" });
		await up(project);
		project.removeMigration("1.4.0_add_zones.sql");
		project.configure({ release: "1.3.0" });
		await up(project);
		assert.deepEqual(await project.database("SELECT to_regclass('zones') AS gone"), [{ gone: null }]);
	});

	it("changes the service's settings without a failed request", async () => {
		await up(project);
		const { url } = await project.outputs();
		const load = keepAsking(`${url}/cameras`);
		project.configure({ poolSize: 3, logLevel: "info" });
		await up(project);
		const { requests, failures } = await load.stop();
		assert.deepEqual(failures, []);
		assert.ok(requests > 100, `${requests} requests`);
		assert.equal(serviceProcesses(project).length, 1);
	});

	it("comes back after a reboot of everything", async () => {
		await up(project);
		const { url } = await project.outputs();
		for (const pid of project.processes()) {
			process.kill(pid, "SIGKILL");
		}
		const preview = await project.must("preview", "-s", "dev");
		assert.match(preview.output, /LocalServerRunning server-running update/);
		await up(project);
		assert.equal((await get<{ release: string }>(`${url}/version`)).release, "1.3.0");
		assert.equal((await project.must("preview", "--expect-no-changes", "-s", "dev")).code, 0);
		assert.deepEqual(
			await project.catalog("SELECT count(*)::int AS n FROM deployment_migrations WHERE is_applied"),
			[{ n: 4 }],
		);
	});
});

async function up(project: TestProject): Promise<string> {
	const { code, output } = await project.up();
	assert.equal(code, 0, output);
	return output;
}

function existing(project: TestProject, ...parts: string[]): string[] {
	return parts.filter((part) => existsSync(project.path(".local", "dev", part)));
}

function serviceProcesses(project: TestProject): number[] {
	return project
		.processes()
		.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("service/main.ts"));
}

async function get<T>(url: string): Promise<T> {
	const reply = await fetch(url, { signal: AbortSignal.timeout(5000) });
	assert.equal(reply.status, 200, url);
	return (await reply.json()) as T;
}

async function post(url: string, body: unknown): Promise<unknown> {
	const reply = await fetch(url, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify(body),
		signal: AbortSignal.timeout(5000),
	});
	const text = await reply.text();
	assert.equal(reply.status, 201, text);
	return JSON.parse(text);
}

/** Asks without pause until it is stopped, and keeps every answer that is not a success. */
function keepAsking(url: string): { stop(): Promise<{ requests: number; failures: string[] }> } {
	let stopped = false;
	let requests = 0;
	const failures: string[] = [];
	const done = (async () => {
		while (!stopped) {
			requests++;
			try {
				const reply = await fetch(url, { signal: AbortSignal.timeout(10_000) });
				await reply.arrayBuffer();
				if (!reply.ok) {
					failures.push(String(reply.status));
				}
			} catch (error) {
				failures.push(String(error));
			}
		}
	})();
	return {
		async stop() {
			stopped = true;
			await done;
			return { requests, failures };
		},
	};
}

/** The commands find the catalog by the stack's outputs, as a role that may read it and nothing else. */
async function assertWatchable(project: TestProject): Promise<void> {
	const { code, stdout, output } = await finished(
		project.start(["--stack", "dev", "--json"], {}, "status.ts"),
	);
	assert.equal(code, 0, output);
	const { status, faults } = JSON.parse(stdout);
	assert.deepEqual(faults, []);
	assert.deepEqual(
		[status.environment.stack, status.release, status.colors, status.deployments.length],
		["dev", "1.3.0", [], 1],
	);
	await assertHistory(project);
	const { stdout: outputs } = await project.must("stack", "output", "--json", "--show-secrets", "-s", "dev");
	const { catalog } = stackAccess("dev", JSON.parse(outputs));
	assert.equal(catalog.user, "counting_dev_catalog_reader");
	for (const forbidden of [
		"DELETE FROM deployment_pipelines",
		"UPDATE environment_configs SET is_active = false",
		"CREATE TABLE mine (id int)",
		"CREATE TEMPORARY TABLE mine (id int)",
	]) {
		await assert.rejects(query(catalog, forbidden), /permission denied/, forbidden);
	}
	await assert.rejects(
		query({ ...catalog, database: "counting_dev" }, "SELECT 1"),
		/permission denied for database/,
	);
	await project.catalog("SET ROLE counting_dev_catalog; CREATE TABLE of_a_later_version (id int)");
	assert.deepEqual(await query(catalog, "SELECT * FROM of_a_later_version"), []);
	const { stdout: shown } = await project.must("stack", "output", "--json", "-s", "dev");
	assert.equal(JSON.parse(shown).catalog, "[secret]");
}

/** The engine's history and the catalog agree on what has been released. */
async function assertHistory(project: TestProject): Promise<void> {
	const history = async (...args: string[]) => {
		const { code, stdout, output } = await finished(
			project.start(["--stack", "dev", "--json", ...args], {}, "history.ts"),
		);
		assert.equal(code, 0, output);
		return JSON.parse(stdout);
	};
	const entries = (await history()) as {
		update?: { kind: string; result: string; release: string };
		recorded?: { deployment: number; release: string; status: string };
	}[];
	const recorded = entries.filter((entry) => entry.recorded !== undefined);
	assert.equal(recorded.length, 1);
	const { update, recorded: own } = recorded[0]!;
	assert.deepEqual([update?.kind, update?.result, update?.release], ["update", "succeeded", "1.3.0"]);
	assert.deepEqual([own?.deployment, own?.release, own?.status], [1, "1.3.0", "completed"]);
	const { live } = await history("--at", new Date().toISOString());
	assert.deepEqual([live.release, live.deployment], ["1.3.0", 1]);
}
