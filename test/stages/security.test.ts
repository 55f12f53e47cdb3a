import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withClient } from "../../components/database/connection";
import { loadMigrations } from "../../components/migrations/files";
import { readAudit } from "../../stages/security/packages";
import { excessRights } from "../../stages/security/rights";
import { dangerousSql, lockingSql } from "../../stages/security/sql";
import { query } from "../support/project";
import { type StagedDatabase, stagedDatabase } from "./support";

describe("the SQL of migrations", () => {
	let directory: string;

	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "counting-security-"));
	});

	afterEach(() => rmSync(directory, { recursive: true, force: true }));

	function migrations(up: string) {
		writeFileSync(
			join(directory, "1.0.0_own.sql"),
			`-- type: schema\n-- irreversible: a test\n-- migrate:up\n${up}\n`,
		);
		return loadMigrations(directory);
	}

	const body = "RETURNS int LANGUAGE sql AS 'SELECT 1'";
	const dangers: [string, string][] = [
		["GRANT SELECT ON cameras TO PUBLIC;", "it grants to PUBLIC"],
		[
			`CREATE FUNCTION one() ${body} SECURITY DEFINER;`,
			"a SECURITY DEFINER function without SET search_path",
		],
		["ALTER ROLE someone SUPERUSER;", "it speaks of superuser"],
		["CREATE ROLE someone CREATEROLE;", "it speaks of createrole"],
		["ALTER ROLE someone PASSWORD 'hunter2';", "it has a password, which stays in the file"],
	];
	for (const [sql, danger] of dangers) {
		it(`is dangerous with ${sql.replace("hunter2", "…")}`, async () => {
			const found = await dangerousSql(migrations(`SELECT 1;\n${sql}`));
			assert.equal(found.length, 1);
			assert.ok(
				found[0]?.endsWith("hunter2") === false && found[0]?.includes(`1.0.0_own.sql:5: ${danger}`),
				found[0],
			);
		});
	}

	it("is not dangerous where it grants to a role, or where a function sets its search path", async () => {
		const sql = `GRANT SELECT ON cameras TO reader; REVOKE ALL ON cameras FROM PUBLIC; CREATE FUNCTION two() ${body};
			CREATE FUNCTION one() ${body} SECURITY DEFINER SET search_path = pg_catalog;`;
		assert.deepEqual(await dangerousSql(migrations(sql)), []);
	});

	it("keeps the service waiting where it builds an index in its way", async () => {
		const found = await lockingSql(migrations("CREATE INDEX slow ON cameras (status);"));
		assert.match(found?.join("\n") ?? "", /1\.0\.0_own\.sql:4: .*\(require-concurrent-index-creation\)$/);
	});

	it("of the project is neither", async () => {
		const own = loadMigrations("migrations");
		assert.deepEqual(await dangerousSql(own), []);
		assert.deepEqual(await lockingSql(own), []);
	});
});

describe("the rights of roles", () => {
	let database: StagedDatabase;

	before(async () => {
		database = await stagedDatabase("closed");
	});
	after(() => database.close());

	const found = () =>
		withClient(database.owner, { applicationName: "test" }, (client) =>
			excessRights(client, database.application.user),
		);

	it("are as declared on a colour", async () => {
		assert.deepEqual(await found(), []);
	});

	const excesses: [string, string, RegExp][] = [
		["ALTER ROLE % CREATEDB", "ALTER ROLE % NOCREATEDB", /^role test_\w+_app has CREATEDB: ALTER ROLE /],
		["ALTER ROLE % BYPASSRLS", "ALTER ROLE % NOBYPASSRLS", /has BYPASSRLS/],
		["GRANT pg_read_all_data TO %", "REVOKE pg_read_all_data FROM %", /is a member of pg_read_all_data/],
		[
			"GRANT TRUNCATE ON cameras TO %",
			"REVOKE TRUNCATE ON cameras FROM %",
			/may TRUNCATE on table (public\.)?cameras/,
		],
		[
			"GRANT CREATE ON SCHEMA public TO %",
			"REVOKE CREATE ON SCHEMA public FROM %",
			/may create in schema public/,
		],
		[
			"GRANT UPDATE ON deployment.write_fence TO %",
			"REVOKE UPDATE ON deployment.write_fence FROM %",
			/may UPDATE in schema deployment, on write_fence/,
		],
		[
			"GRANT SELECT ON cameras TO PUBLIC",
			"REVOKE SELECT ON cameras FROM PUBLIC",
			/^every role may SELECT on table/,
		],
	];
	for (const [give, take, finding] of excesses) {
		it(`exceed what is declared after ${give.replace("%", "the service's role")}`, async () => {
			const role = `"${database.application.user}"`;
			await query(database.superuser, give.replace("%", role));
			try {
				const lines = await found();
				assert.equal(lines.length, 1, lines.join("\n"));
				assert.match(lines[0] ?? "", finding);
			} finally {
				await query(database.superuser, take.replace("%", role));
			}
		});
	}

	it("exceed it where every role may connect", async () => {
		const name = `"${database.owner.database}"`;
		await query(database.superuser, `GRANT CONNECT ON DATABASE ${name} TO PUBLIC`);
		assert.match((await found()).join("\n"), /^every role may CONNECT database test_/);
		await query(database.superuser, `REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`);
	});
});

describe("the audit of packages", () => {
	const audit = (vulnerabilities: object) => readAudit(JSON.stringify({ vulnerabilities }), "");

	it("finds what is grave, and says what to do", () => {
		const one = { severity: "high", range: "<2.0.0", fixAvailable: true };
		assert.deepEqual(
			audit({
				one,
				two: { ...one, severity: "critical", fixAvailable: false },
				three: { ...one, severity: "moderate" },
			}),
			{
				findings: [
					"one <2.0.0 has a weakness of high severity: run npm audit fix",
					"two <2.0.0 has a weakness of critical severity: there is no fix yet; replace it, or wait for one",
				],
			},
		);
		assert.deepEqual(audit({}), { findings: [] });
	});

	it("is unknown, not passed, where the registry does not answer", () => {
		assert.deepEqual(readAudit("", "npm error network\nmore"), {
			findings: [],
			unknown: "npm audit gave no answer: npm error network",
		});
		const refused = { error: { code: "ENOAUDIT", summary: "Your registry does not support audits." } };
		assert.equal(
			readAudit(JSON.stringify(refused), "").unknown,
			"npm audit gave no answer: Your registry does not support audits.",
		);
		assert.equal(readAudit("{}", "").unknown, "npm audit gave an answer that is not known here");
	});
});
