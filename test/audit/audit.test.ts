import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type Client, escapeIdentifier } from "pg";
import { BEGINNING } from "../../components/audit/audit-row";
import { auditText } from "../../components/audit/audit-text";
import { auditCatalog } from "../../components/audit/verify";
import { closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { logExecutionSteps } from "../../components/catalog/execution-log";
import { withdrawMigrations } from "../../components/catalog/migrations";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { connect } from "../../components/database/connection";
import { testDatabase } from "../support/postgres";
import { AuditedCatalog, RELEASE, SESSION } from "./audited-catalog";

describe("the audit log of a catalog", () => {
	let catalog: AuditedCatalog;
	let owner: Client;
	let superuser: Client;
	/** As the role that deployments write as. */
	let deploying: Client;
	let role: string;

	beforeEach(async () => {
		catalog = await AuditedCatalog.open();
		({ owner, superuser, deploying, role } = catalog);
	});

	afterEach(() => catalog.close());

	it("has who deployed what, from which commit, by which leave and how it ended, in its order", async () => {
		await catalog.twoReleases();
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
			await catalog.twoReleases();
			await catalog.applied();
			await assert.rejects(deploying.query(sql), { code: "42501" });
			assert.deepEqual(await catalog.faults(), []);
		});
	}

	for (const sql of ["UPDATE audit_log SET event = '{}'", "DELETE FROM audit_log", "TRUNCATE audit_log"]) {
		it(`does not let its owner ${sql.split(" ")[0]}`, async () => {
			await catalog.twoReleases();
			await assert.rejects(owner.query(sql), { code: "42501", hint: "A correction is a new row." });
		});
	}

	it("lets a migration go that was announced and never begun, and says so", async () => {
		const { ids } = await catalog.announced("SELECT 1");
		await withdrawMigrations(deploying, [...ids.values()]);
		const { rows } = await owner.query("SELECT kind, event ->> 'op' AS op FROM audit_log ORDER BY id");
		assert.deepEqual(rows, [
			{ kind: "deployment_pipelines", op: "insert" },
			{ kind: "deployment_migrations", op: "insert" },
			{ kind: "deployment_migrations", op: "delete" },
		]);
		assert.deepEqual(await catalog.faults(), []);
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
		assert.deepEqual(await catalog.faults(), []);
	});

	it("cannot be kept from being written by whoever may read it", async () => {
		const reader = `${catalog.role}_reads`;
		await superuser.query(
			`CREATE ROLE ${escapeIdentifier(reader)} LOGIN PASSWORD '${catalog.connectionOf(reader).password}';
			GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${escapeIdentifier(reader)}`,
		);
		const reading = await connect(catalog.connectionOf(reader), SESSION);
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
			Array.from({ length: 6 }, () => connect(catalog.connectionOf(role), SESSION)),
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
