import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type Client, escapeIdentifier } from "pg";
import { BEGINNING } from "../../components/audit/audit-row";
import { auditText } from "../../components/audit/audit-text";
import { auditCatalog } from "../../components/audit/verify";
import { grantDeploying } from "../../components/catalog/deploying-role";
import { closeAbandoned, closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { logExecutionSteps } from "../../components/catalog/execution-log";
import { announceMigrations, withdrawMigrations, writeSteps } from "../../components/catalog/migrations";
import { finishRollback, startRollback } from "../../components/catalog/rollbacks";
import { completeStage, startStage } from "../../components/catalog/stages";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { type Connection, connect } from "../../components/database/connection";
import { type TestDatabase, testDatabase } from "../support/postgres";

const SESSION = { applicationName: "audit-test" };
const RELEASE = {
	pipelineName: "counting",
	release: "1.3.0",
	environment: "production",
	triggeredBy: "ada",
	gitCommit: "0a1b2c",
	config: { releaseWithoutStaging: "1.3.0" },
} as const;

describe("the audit log of a catalog", () => {
	let database: TestDatabase;
	let owner: Client;
	let superuser: Client;
	/** As the role that deployments write as. */
	let deploying: Client;
	let role: string;

	beforeEach(async () => {
		database = await testDatabase();
		owner = await connect(database.owner, SESSION);
		superuser = await connect(database.superuser, SESSION);
		await upgradeCatalog(owner);
		role = `${database.owner.database}_deploy`;
		await superuser.query(
			`CREATE ROLE ${escapeIdentifier(role)} LOGIN PASSWORD '${database.owner.password}'`,
		);
		await grantDeploying(owner, role);
		deploying = await connect(deployingConnection(), SESSION);
	});

	afterEach(async () => {
		await Promise.all([owner.end(), deploying.end()]);
		await superuser.query(`DROP OWNED BY ${escapeIdentifier(role)}; DROP ROLE ${escapeIdentifier(role)}`);
		await superuser.end();
		await database.drop();
	});

	const deployingConnection = (): Connection => ({ ...database.owner, user: role });

	/** A release that went live and one that was rolled back, by the product's own functions. */
	async function twoReleases(): Promise<void> {
		const stages = [{ name: "Tests", type: "test", config: {} }] as const;
		const first = await openDeployment(deploying, RELEASE, stages);
		await startStage(deploying, first, stages[0]);
		await completeStage(deploying, first, "Tests", "fine");
		await closeDeployment(deploying, first, { status: "completed" });
		const second = await openDeployment(deploying, { ...RELEASE, release: "1.4.0" });
		const rollback = await startRollback(deploying, {
			deploymentId: second,
			type: "automatic",
			reason: "too slow",
		});
		await finishRollback(deploying, rollback, { steps: [] });
		await closeDeployment(deploying, second, { status: "rolled_back", error: "too slow" });
	}

	/** A migration that is applied. */
	async function applied(): Promise<void> {
		const { deploymentId, ids } = await announced("SELECT 1");
		const at = new Date();
		await writeSteps(
			deploying,
			[...ids.values()].map((migrationId) => ({
				...{ deploymentId, migrationId, step: "apply 1.4.0 add_zones", stepStatus: "completed" as const, at },
				migration: { status: "completed" as const, isApplied: true, appliedAt: at, appliedBy: "ada" },
			})),
		);
		await closeDeployment(deploying, deploymentId, { status: "completed" });
	}

	async function announced(sql: string): Promise<{ deploymentId: number; ids: Map<string, number> }> {
		const deploymentId = await openDeployment(deploying, RELEASE);
		const migration = { version: "1.4.0", name: "add_zones", type: "schema", dependsOn: [] };
		const ids = await announceMigrations(deploying, "counting_blue_1", [
			{ ...migration, sql, rollbackSql: null, checksum: "0".repeat(64) },
		]);
		return { deploymentId, ids };
	}

	/** What nobody can do but a superuser who means to. */
	async function tamper(sql: string): Promise<void> {
		await superuser.query(`BEGIN; SET LOCAL session_replication_role = replica; ${sql}; COMMIT`);
	}

	const faults = async (head?: string) =>
		(await auditCatalog(owner, head === undefined ? {} : { head })).faults;

	it("has who deployed what, from which commit, by which leave and how it ended, in its order", async () => {
		await twoReleases();
		const { rows } = await owner.query(
			`SELECT kind, event ->> 'op' AS op, event -> 'row' ->> 'status' AS status, recorded_by = $1 AS deploying
			FROM audit_log ORDER BY id`,
			[role],
		);
		assert.deepEqual(
			rows.map(({ kind, op, status, deploying: own }) => [kind, op, status, own].join(" ")),
			[
				"deployment_pipelines insert running true",
				"deployment_stages insert pending true",
				"deployment_stages update running true",
				"deployment_stages update completed true",
				"deployment_pipelines update completed true",
				"deployment_pipelines insert running true",
				"deployment_rollbacks insert  true",
				"deployment_stages insert running true",
				"deployment_rollbacks update  true",
				"deployment_stages update completed true",
				"deployment_pipelines update rolled_back true",
			],
		);
		const [first] = (
			await owner.query("SELECT event -> 'row' AS row, previous_hash FROM audit_log WHERE id = 1")
		).rows;
		const { pipeline_version, triggered_by, git_commit_hash, deployment_config } = first.row;
		assert.deepEqual(
			[pipeline_version, triggered_by, git_commit_hash, deployment_config, first.previous_hash],
			["1.3.0", "ada", "0a1b2c", { releaseWithoutStaging: "1.3.0" }, BEGINNING],
		);
		const audit = await auditCatalog(owner);
		assert.deepEqual({ rows: audit.rows, faults: audit.faults }, { rows: 11, faults: [] });
		assert.match(auditText(audit), /^the audit log is whole: 11 rows, .*\nhead: row 11, [0-9a-f]{64}$/);
	});

	for (const [what, sql] of [
		["change a row", "UPDATE audit_log SET event = '{}'"],
		["delete one", "DELETE FROM audit_log"],
		["empty it", "TRUNCATE audit_log"],
		["do away with what refuses that", "DROP TRIGGER refuse_change ON audit_log"],
		["say who wrote a row", "INSERT INTO audit_log (kind, event, recorded_by) VALUES ('note', '{}', 'ada')"],
		["change what was logged of a step", "UPDATE deployment_execution_logs SET step_output = ''"],
		["delete a deployment", "DELETE FROM deployment_pipelines"],
		["say that somebody else deployed", "UPDATE deployment_pipelines SET triggered_by = 'eve'"],
		["say so of another commit", "UPDATE deployment_pipelines SET git_commit_hash = 'f00'"],
		[
			"move when one began",
			"UPDATE deployment_pipelines SET started_at = started_at - interval '1 day' WHERE id = 1",
		],
		["move when one ended", "UPDATE deployment_pipelines SET completed_at = completed_at + interval '1 day'"],
		["have one fail after its end", "UPDATE deployment_pipelines SET status = 'failed' WHERE id = 1"],
		["give a rollback another reason", "UPDATE deployment_rollbacks SET rollback_reason = 'fine'"],
		[
			"open a rollback again",
			"UPDATE deployment_rollbacks SET rollback_status = 'running', completed_at = NULL",
		],
		["call a stage another", "UPDATE deployment_stages SET stage_name = 'Tea'"],
		[
			"change the SQL of what was applied",
			"UPDATE deployment_migrations SET rollback_sql = 'DROP TABLE cameras'",
		],
	] as const) {
		it(`does not let the deploying role ${what}`, async () => {
			await twoReleases();
			await applied();
			await assert.rejects(deploying.query(sql), { code: "42501" });
			assert.deepEqual(await faults(), []);
		});
	}

	for (const sql of ["UPDATE audit_log SET event = '{}'", "DELETE FROM audit_log", "TRUNCATE audit_log"]) {
		it(`does not let its owner ${sql.split(" ")[0]}`, async () => {
			await twoReleases();
			await assert.rejects(owner.query(sql), { code: "42501", hint: "A correction is a new row." });
		});
	}

	it("lets a migration go that was announced and never begun, and says so", async () => {
		const { ids } = await announced("SELECT 1");
		await withdrawMigrations(deploying, [...ids.values()]);
		const { rows } = await owner.query("SELECT kind, event ->> 'op' AS op FROM audit_log ORDER BY id");
		assert.deepEqual(rows, [
			{ kind: "deployment_pipelines", op: "insert" },
			{ kind: "deployment_migrations", op: "insert" },
			{ kind: "deployment_migrations", op: "delete" },
		]);
		assert.deepEqual(await faults(), []);
	});

	it("keeps what was logged of a step from everybody", async () => {
		const id = await openDeployment(deploying, RELEASE);
		await logExecutionSteps(deploying, id, [{ step: "cutover: fence", status: "completed" }]);
		for (const sql of [
			"UPDATE deployment_execution_logs SET execution_step = 'x'",
			"DELETE FROM deployment_execution_logs",
			"TRUNCATE deployment_execution_logs",
		]) {
			await assert.rejects(owner.query(sql), { code: "42501", hint: "A correction is a new row." });
		}
	});

	it("takes a correction as a new row, which is a note whatever it calls itself", async () => {
		await deploying.query(
			`INSERT INTO audit_log (kind, event) VALUES ('deployment_pipelines', '{"op": "insert", "text": "1.3.0 was live"}')`,
		);
		const { rows } = await owner.query("SELECT id, kind, recorded_by FROM audit_log");
		assert.deepEqual(rows, [{ id: "1", kind: "note", recorded_by: role }]);
		assert.deepEqual(await faults(), []);
	});

	it("cannot be kept from being written by whoever may read it", async () => {
		const reader = `${database.owner.database}_reads`;
		await superuser.query(
			`CREATE ROLE ${escapeIdentifier(reader)} LOGIN PASSWORD '${database.owner.password}';
			GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${escapeIdentifier(reader)}`,
		);
		const reading = await connect({ ...database.owner, user: reader }, SESSION);
		try {
			await reading.query(
				"BEGIN; SELECT pg_advisory_xact_lock(7215930149); SELECT FROM audit_turn; SELECT FROM audit_log",
			);
			await assert.rejects(reading.query("SELECT FROM audit_turn FOR SHARE"), { code: "42501" });
			await reading.query("ROLLBACK; BEGIN; SELECT pg_advisory_xact_lock(7215930149); SELECT FROM audit_log");
			await openDeployment(deploying, RELEASE);
		} finally {
			await reading.end();
			await superuser.query(
				`DROP OWNED BY ${escapeIdentifier(reader)}; DROP ROLE ${escapeIdentifier(reader)}`,
			);
		}
	});

	it("is one chain, however many write at once", async () => {
		const writers = await Promise.all(
			Array.from({ length: 6 }, () => connect(deployingConnection(), SESSION)),
		);
		try {
			await Promise.all(
				writers.map(async (writer) => {
					for (let each = 0; each < 5; each++) {
						const id = await openDeployment(writer, RELEASE);
						await closeDeployment(writer, id, { status: "completed" });
					}
				}),
			);
		} finally {
			await Promise.all(writers.map((writer) => writer.end()));
		}
		const { rows, faults: found } = await auditCatalog(owner);
		assert.deepEqual({ rows, found }, { rows: 60, found: [] });
	});

	const tampered: [string, string, string[]][] = [
		[
			"a row that was changed",
			`UPDATE audit_log SET event = jsonb_set(event, '{row,triggered_by}', '"eve"') WHERE id = 5`,
			[
				"row 5 was changed: its content has another hash",
				"deployment_pipelines: row 1 is not as the audit log has it",
			],
		],
		[
			"a row that was changed with its hash",
			"UPDATE audit_log SET hash = repeat('a', 64) WHERE id = 5",
			["row 5 was changed: its content has another hash"],
		],
		[
			"a row that was taken out",
			"DELETE FROM audit_log WHERE id = 3",
			["row 3 is missing: row 4 comes in its place"],
		],
		[
			"rows that changed places",
			"UPDATE audit_log SET id = 1000 - id WHERE id IN (3, 4); UPDATE audit_log SET id = id - 993 WHERE id > 900",
			[
				"row 3 does not follow from row 2: one of the two was changed or put in",
				"deployment_stages: row 1 is not as the audit log has it",
			],
		],
		[
			"a table that was changed behind it",
			"UPDATE deployment_pipelines SET triggered_by = 'eve' WHERE id = 2",
			["deployment_pipelines: row 2 is not as the audit log has it"],
		],
		[
			"a deployment that was taken out behind it",
			"DELETE FROM deployment_rollbacks",
			["deployment_rollbacks: row 1 is gone, and the audit log does not say so"],
		],
		[
			"a deployment that was put in behind it",
			`INSERT INTO deployment_pipelines (pipeline_name, pipeline_version, environment) VALUES ('x', '9.9.9', 'production')`,
			["deployment_pipelines: row 4 is not in the audit log"],
		],
		[
			"a migration whose SQL was changed behind it",
			"UPDATE deployment_migrations SET migration_sql = 'SELECT 2'",
			["deployment_migrations: row 1 is not as the audit log has it"],
		],
		[
			"that nothing writes the log any more",
			"ALTER TABLE deployment_pipelines DISABLE TRIGGER write_audit; DROP TRIGGER refuse_change ON audit_log",
			[
				"audit_log: the trigger refuse_change is gone or turned off",
				"deployment_pipelines: the trigger write_audit is gone or turned off",
			],
		],
		[
			"a row that was put in before the first",
			"ALTER TABLE audit_log DROP CONSTRAINT audit_log_id_check; INSERT INTO audit_log VALUES (-7, now(), 'x', 'note', '{}', 'x', repeat('b', 64))",
			["row 1 is missing: row -7 comes in its place"],
		],
		[
			"a right to change it",
			"GRANT UPDATE, TRUNCATE ON audit_log TO PUBLIC",
			["audit_log: everybody has the right to TRUNCATE", "audit_log: everybody has the right to UPDATE"],
		],
		[
			"that something else does it",
			"CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; " +
				"CREATE OR REPLACE TRIGGER write_audit AFTER UPDATE ON deployment_stages FOR EACH ROW EXECUTE FUNCTION quiet()",
			["deployment_stages: the trigger write_audit is gone or turned off"],
		],
	];
	for (const [what, sql, expected] of tampered) {
		it(`shows ${what}`, async () => {
			await twoReleases();
			await applied();
			await tamper(sql);
			assert.deepEqual(await faults(), expected);
		});
	}

	it("shows by a hash that was kept that rows were cut off its end, or that all of it was written anew", async () => {
		await twoReleases();
		const { head } = await auditCatalog(owner);
		await closeAbandoned(deploying, "production");
		assert.deepEqual(await faults(head?.hash), []);
		await tamper(
			"DELETE FROM audit_log WHERE id > 9; UPDATE deployment_pipelines SET status = 'running', completed_at = NULL, error_message = NULL WHERE id = 2; UPDATE deployment_stages SET status = 'running' WHERE id = 2",
		);
		const [first] = await faults(head?.hash);
		assert.equal(
			first,
			`no row has the hash ${head?.hash}: rows were cut off the end, or all were written anew since it was kept`,
		);
	});

	it("begins with what a catalog of the version before it had", async () => {
		const older = await testDatabase();
		const client = await connect(older.owner, SESSION);
		try {
			const versions = ["001_create_catalog", "002_monitoring", "003_health_checks", "004_open_work"];
			for (const version of versions) {
				await client.query(readFileSync(`components/catalog/schema/${version}.sql`, "utf8"));
			}
			await client.query(
				"CREATE TABLE catalog_versions (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz DEFAULT now())",
			);
			await client.query("INSERT INTO catalog_versions SELECT n, 'x' FROM generate_series(1, 4) AS n");
			await client.query("SET timezone = 'Asia/Tokyo'");
			const id = await openDeployment(client, RELEASE);
			await client.query(
				"INSERT INTO deployment_migrations (target_database, migration_name, migration_version, migration_type, migration_sql, checksum) VALUES ('blue', 'x', '1.0.0', 'schema', 'SELECT 1', repeat('0', 64))",
			);
			await assert.rejects(auditCatalog(client), {
				message:
					/^the catalog has schema version 4, and version \d+ is what is audited: run an update first$/,
			});
			await upgradeCatalog(client);
			await closeDeployment(client, id, { status: "completed" });
			const { rows } = await client.query("SELECT kind, event ->> 'op' AS op FROM audit_log ORDER BY id");
			assert.deepEqual(rows, [
				{ kind: "deployment_migrations", op: "found" },
				{ kind: "deployment_pipelines", op: "found" },
				// With the hash of its SQL.
				{ kind: "deployment_migrations", op: "found" },
				{ kind: "deployment_pipelines", op: "update" },
			]);
			assert.deepEqual((await auditCatalog(client)).faults, []);
		} finally {
			await client.end();
			await older.drop();
		}
	});
});
