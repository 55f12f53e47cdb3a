import assert from "node:assert/strict";
import type { Client } from "pg";
import { auditCatalog } from "../../components/audit/verify";
import { closeAbandoned } from "../../components/catalog/deployments";
import { AuditedCatalog } from "./audited-catalog";

describe("an audit of a catalog", () => {
	let catalog: AuditedCatalog;
	let owner: Client;

	beforeEach(async () => {
		catalog = await AuditedCatalog.open();
		({ owner } = catalog);
	});

	afterEach(() => catalog.close());

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
			await catalog.twoReleases();
			await catalog.applied();
			await catalog.tamper(sql);
			assert.deepEqual(await catalog.faults(), expected);
		});
	}

	it("shows by a hash that was kept that rows were cut off its end, or that all of it was written anew", async () => {
		await catalog.twoReleases();
		const { head } = await auditCatalog(owner);
		await closeAbandoned(catalog.deploying, "production");
		assert.deepEqual(await catalog.faults(head?.hash), []);
		await catalog.tamper(
			"DELETE FROM audit_log WHERE id > 9; UPDATE deployment_pipelines SET status = 'running', completed_at = NULL, error_message = NULL WHERE id = 2; UPDATE deployment_stages SET status = 'running' WHERE id = 2",
		);
		const [first] = await catalog.faults(head?.hash);
		assert.equal(
			first,
			`no row has the hash ${head?.hash}: rows were cut off the end, or all were written anew since it was kept`,
		);
	});
});
