import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadMigrations } from "../../components/migrations/files";
import { MigrationFilesError } from "../../components/migrations/problems";
import { runningIn } from "../../components/migrations/seed-data";
import { verifyMigrations } from "../../components/migrations/statements";

const GOOD = "-- type: schema\n-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n";

describe("migration files", () => {
	let directory: string;

	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "migration-files-"));
	});

	afterEach(() => rmSync(directory, { recursive: true, force: true }));

	function write(files: Record<string, string | Buffer>): void {
		for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
	}

	/** Every problem as `file:line: what`. */
	async function problemsOf(files: Record<string, string | Buffer>): Promise<string[]> {
		write(files);
		try {
			await verifyMigrations(loadMigrations(directory));
		} catch (error) {
			assert(error instanceof MigrationFilesError, String(error));
			for (const { mend } of error.problems) assert.notEqual(mend, "");
			return error.problems.map(
				({ path, line, what }) => `${path.slice(directory.length + 1)}:${line}: ${what}`,
			);
		}
		return [];
	}

	it("are read with all that they say", async () => {
		const text =
			`-- Why: is told in words here
`.replace("Why:", "Why") +
			`-- type: data
-- depends: first, second
-- migrate:up transaction:false
VACUUM;

-- migrate:down
SELECT 1;
`;
		write({
			"1.0.0_first.sql": GOOD,
			"1.1.0_second.sql": GOOD,
			"1.10.0_third_đếm.sql": text,
			"README.md": "not a migration",
		});
		mkdirSync(join(directory, "old.sql"));
		const [, , third] = loadMigrations(directory);
		assert.deepEqual(third, {
			version: "1.10.0",
			name: "third_đếm",
			type: "data",
			dependsOn: ["first", "second"],
			up: { sql: "VACUUM;\n", transaction: false, line: 5 },
			down: { sql: "SELECT 1;\n", transaction: true, line: 8 },
			checksum: createHash("sha256").update(text).digest("hex"),
			path: join(directory, "1.10.0_third_đếm.sql"),
		});
		await verifyMigrations([third!]);
	});

	const seed = (environments: string, more = "") =>
		`-- type: data\n-- environments: ${environments}\n${more}-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n`;

	it("with seed data run only in the environments that they name", () => {
		write({
			"1.0.0_first.sql": GOOD,
			"1.1.0_for_both.sql": seed("development, staging"),
			"1.2.0_for_one.sql": seed("development", "-- depends: for_both\n"),
		});
		const migrations = loadMigrations(directory);
		const names = (environment: "development" | "staging" | "production") =>
			runningIn(environment, migrations).map(({ name }) => name);
		assert.deepEqual(names("development"), ["first", "for_both", "for_one"]);
		assert.deepEqual(names("staging"), ["first", "for_both"]);
		assert.deepEqual(names("production"), ["first"]);
	});

	it("with seed data are refused for production, for a schema, and under what runs elsewhere as well", async () => {
		assert.deepEqual(
			await problemsOf({
				"1.0.0_a.sql": seed("production"),
				"1.1.0_b.sql": seed("development").replace("data", "schema"),
			}),
			[
				'1.0.0_a.sql:2: "production" does not name environments that get seed data',
				"1.1.0_b.sql:2: a migration of type schema runs in some environments only",
			],
		);
		assert.deepEqual(
			await problemsOf({
				"1.0.0_a.sql": seed("development"),
				"1.1.0_b.sql": seed("development, staging", "-- depends: a\n"),
			}),
			["1.1.0_b.sql:3: it depends on a, which only runs in development"],
		);
	});

	it("come in the order of their version numbers, dependencies first", () => {
		const depends = GOOD.replace("\n", "\n-- depends: tenth\n");
		write({
			"1.9.0_ninth.sql": GOOD,
			"1.10.0_tenth.sql": GOOD,
			"1.100.0_last.sql": GOOD,
			"1.2.0_second.sql": depends,
		});
		assert.deepEqual(
			loadMigrations(directory).map(({ version }) => version),
			["1.10.0", "1.2.0", "1.9.0", "1.100.0"],
		);
	});

	it("may be irreversible for a reason", () => {
		write({
			"1.0.0_a.sql": "-- type: data\n-- irreversible: the old values are gone\n-- migrate:up\nSELECT 1;\n",
		});
		const [only] = loadMigrations(directory);
		assert.equal(only?.irreversible, "the old values are gone");
		assert.equal(only?.down, undefined);
	});

	const broken: Record<string, [Record<string, string | Buffer>, string[]]> = {
		"a file name that is none": [
			{ "01.0.0_a.sql": GOOD, "1.0_b.sql": GOOD, "c.SQL": GOOD },
			["01.0.0_a.sql", "1.0_b.sql", "c.SQL"].map(
				(name) => `${name}:1: the file name ${JSON.stringify(name)} is not <version>_<name>.sql`,
			),
		],
		"a missing type": [
			{ "1.0.0_a.sql": GOOD.replace("-- type: schema\n", "") },
			["1.0.0_a.sql:1: there is no type"],
		],
		"an unknown type": [
			{ "1.0.0_a.sql": `\n${GOOD.replace("schema", "tables")}` },
			['1.0.0_a.sql:2: the type "tables" is unknown'],
		],
		"an unknown header": [
			{ "1.0.0_a.sql": `-- depend: b\n${GOOD}` },
			["1.0.0_a.sql:1: the header -- depend: is unknown"],
		],
		"a header twice": [
			{ "1.0.0_a.sql": `-- type: schema\n${GOOD}` },
			["1.0.0_a.sql:2: the header -- type: appears twice"],
		],
		"SQL above the sections": [
			{ "1.0.0_a.sql": GOOD.replace("-- migrate:up", "SELECT 1;\n-- migrate:up") },
			["1.0.0_a.sql:2: there is SQL above the first section"],
		],
		"no up section": [
			{ "1.0.0_a.sql": "-- type: schema\n-- migrate:down\nSELECT 1;\n" },
			["1.0.0_a.sql:2: there is no up section"],
		],
		"no down section": [
			{ "1.0.0_a.sql": "-- type: schema\n-- migrate:up\nSELECT 1;\n" },
			["1.0.0_a.sql:4: there is no down section"],
		],
		"a section without a statement": [
			{ "1.0.0_a.sql": "-- type: schema\n-- migrate:up\n-- later\n-- migrate:down\nSELECT 1;\n" },
			["1.0.0_a.sql:2: the up section has no statement"],
		],
		"a section of which all is a comment": [
			{ "1.0.0_a.sql": "-- type: schema\n-- migrate:up\n/* later */\n-- migrate:down\nSELECT 1;\n" },
			["1.0.0_a.sql:3: the section has no statement"],
		],
		"a section twice": [
			{ "1.0.0_a.sql": `${GOOD}-- migrate:up\nSELECT 1;\n` },
			["1.0.0_a.sql:6: there is a second up section"],
		],
		"sections the wrong way round": [
			{ "1.0.0_a.sql": "-- type: schema\n-- migrate:down\nSELECT 1;\n-- migrate:up\nSELECT 1;\n" },
			["1.0.0_a.sql:4: the up section is below the down section"],
		],
		"an unknown section": [
			{ "1.0.0_a.sql": `${GOOD}-- migrate:sideways\n` },
			["1.0.0_a.sql:6: the section mark -- migrate:sideways is unknown"],
		],
		"an unknown option": [
			{ "1.0.0_a.sql": GOOD.replace("migrate:up", "migrate:up transaction=false") },
			['1.0.0_a.sql:2: the option "transaction=false" is unknown'],
		],
		"a reason that is empty": [
			{ "1.0.0_a.sql": "-- type: data\n-- irreversible:\n-- migrate:up\nSELECT 1;\n" },
			["1.0.0_a.sql:2: there is no reason"],
		],
		"an irreversible one with a down section": [
			{ "1.0.0_a.sql": `-- irreversible: never\n${GOOD}` },
			["1.0.0_a.sql:5: an irreversible migration has a down section"],
		],
		"a byte-order mark": [
			{ "1.0.0_a.sql": `\uFEFF${GOOD}` },
			["1.0.0_a.sql:1: the file begins with a byte-order mark"],
		],
		CRLF: [
			{ "1.0.0_a.sql": GOOD.replace("int);\n", "int);\r\n") },
			["1.0.0_a.sql:3: the line ends with CRLF"],
		],
		"a NUL byte": [{ "1.0.0_a.sql": GOOD.replace("DROP", "DR\0OP") }, ["1.0.0_a.sql:5: there is a NUL byte"]],
		"invalid UTF-8": [
			{
				"1.0.0_a.sql": Buffer.concat([
					Buffer.from("-- type: schema\n-- "),
					Buffer.from([0xe4]),
					Buffer.from("\n"),
				]),
			},
			["1.0.0_a.sql:2: the line is not valid UTF-8"],
		],
		"a version twice": [
			{ "1.0.0_a.sql": GOOD, "1.0.0_b.sql": GOOD },
			["1.0.0_b.sql:1: the version 1.0.0 is also that of <directory>/1.0.0_a.sql"],
		],
		"a name twice": [
			{ "1.0.0_a.sql": GOOD, "1.1.0_a.sql": GOOD },
			["1.1.0_a.sql:1: the name a is also that of <directory>/1.0.0_a.sql"],
		],
		"a dependency twice": [
			{ "1.0.0_a.sql": GOOD, "1.1.0_b.sql": `-- depends: a, a\n${GOOD}` },
			["1.1.0_b.sql:1: the dependency a appears twice"],
		],
		"a dependency without a name": [
			{ "1.0.0_a.sql": GOOD, "1.1.0_b.sql": `-- depends: a,\n${GOOD}` },
			["1.1.0_b.sql:1: a dependency has no name"],
		],
		"a dependency that is missing": [
			{ "1.0.0_a.sql": `-- Text\n-- depends: b\n${GOOD}` },
			["1.0.0_a.sql:2: it depends on b, which no migration is named"],
		],
		"a dependency on itself": [
			{ "1.0.0_a.sql": `-- depends: a\n${GOOD}` },
			["1.0.0_a.sql:1: its dependencies are circular: a -> a"],
		],
		"dependencies in a circle": [
			{
				"1.0.0_a.sql": `-- depends: b\n${GOOD}`,
				"1.1.0_b.sql": `-- depends: c\n${GOOD}`,
				"1.2.0_c.sql": `-- depends: a\n${GOOD}`,
				"1.3.0_d.sql": `-- depends: a\n${GOOD}`,
			},
			["1.2.0_c.sql:1: its dependencies are circular: a -> b -> c -> a"],
		],
		"SQL that PostgreSQL refuses": [
			{ "1.0.0_đ.sql": GOOD.replace("CREATE TABLE", "SELECT 'đếm';\nCREAT TABLE") },
			['1.0.0_đ.sql:4: syntax error at or near "CREAT"'],
		],
		"commands of psql": [
			{ "1.0.0_a.sql": GOOD.replace("DROP", "\\connect other\nDROP") },
			["1.0.0_a.sql:5: commands of psql are not SQL"],
		],
		"rows for COPY": [
			{ "1.0.0_a.sql": GOOD.replace("DROP TABLE a;", "COPY a FROM STDIN;") },
			["1.0.0_a.sql:5: COPY from or to the client has no client here"],
		],
		"transaction control": [
			{
				"1.0.0_a.sql": GOOD.replace("CREATE", "BEGIN;\nSAVEPOINT x;\nCREATE").replace(
					"DROP TABLE a;",
					"DROP TABLE a;\nCOMMIT;",
				),
			},
			[
				"1.0.0_a.sql:3: transaction control inside a migration",
				"1.0.0_a.sql:4: transaction control inside a migration",
				"1.0.0_a.sql:8: transaction control inside a migration",
			],
		],
		"transaction control outside a transaction": [
			{
				"1.0.0_a.sql": GOOD.replace("migrate:up", "migrate:up transaction:false").replace(
					"CREATE",
					"BEGIN;\nCREATE",
				),
			},
			["1.0.0_a.sql:3: transaction control between the statements of a transaction:false section"],
		],
		"an index built CONCURRENTLY without a name": [
			{
				"1.0.0_a.sql": GOOD.replace("migrate:up", "migrate:up transaction:false").replace(
					"CREATE TABLE a (id int);",
					"CREATE INDEX CONCURRENTLY ON a (id);",
				),
			},
			["1.0.0_a.sql:3: CREATE INDEX CONCURRENTLY without a name"],
		],
		"DISCARD ALL": [
			{ "1.0.0_a.sql": GOOD.replace("DROP TABLE a", "DISCARD ALL") },
			["1.0.0_a.sql:5: DISCARD ALL would give up the lock of the run"],
		],
	};

	for (const [what, [files, expected]] of Object.entries(broken)) {
		it(`with ${what} are refused with file and line`, async () => {
			const found = await problemsOf(files);
			assert.deepEqual(
				found.map((problem) => problem.replace(`${directory}/`, "<directory>/")),
				expected,
			);
		});
	}

	const standalone: Record<string, string> = {
		"CREATE INDEX CONCURRENTLY i ON a (id)": "CREATE INDEX CONCURRENTLY",
		"DROP INDEX CONCURRENTLY i": "DROP INDEX CONCURRENTLY",
		"REINDEX TABLE CONCURRENTLY a": "REINDEX CONCURRENTLY",
		"REINDEX SCHEMA public": "REINDEX of a whole schema or database",
		"VACUUM a": "VACUUM",
		CLUSTER: "CLUSTER of all tables",
		"ALTER SYSTEM SET work_mem = '8MB'": "ALTER SYSTEM",
		"CREATE DATABASE other": "CREATE DATABASE",
		"DROP DATABASE other": "DROP DATABASE",
		"ALTER DATABASE other SET TABLESPACE fast": "ALTER DATABASE SET TABLESPACE",
		"CREATE TABLESPACE fast LOCATION '/fast'": "CREATE TABLESPACE",
		"DROP TABLESPACE fast": "DROP TABLESPACE",
		"CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p": "CREATE SUBSCRIPTION",
		"DROP SUBSCRIPTION s": "DROP SUBSCRIPTION",
		"ALTER TABLE a DETACH PARTITION b CONCURRENTLY": "DETACH PARTITION CONCURRENTLY",
	};
	for (const [sql, name] of Object.entries(standalone)) {
		it(`with ${name} in a transaction are refused, and accepted outside one`, async () => {
			const text = GOOD.replace("CREATE TABLE a (id int)", sql);
			assert.deepEqual(await problemsOf({ "1.0.0_a.sql": text }), [
				`1.0.0_a.sql:3: ${name} cannot run in a transaction`,
			]);
			assert.deepEqual(
				await problemsOf({ "1.0.0_a.sql": text.replace("migrate:up", "migrate:up transaction:false") }),
				[],
			);
		});
	}

	it("accept what only looks like transaction control", async () => {
		const body = [
			"CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN RETURN 1; END; $body$;",
			"CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;",
			"SELECT 'BEGIN; COMMIT;'; -- ROLLBACK;",
			"ANALYZE; REFRESH MATERIALIZED VIEW CONCURRENTLY v;",
		].join("\n");
		assert.deepEqual(await problemsOf({ "1.0.0_a.sql": GOOD.replace("CREATE TABLE a (id int);", body) }), []);
	});

	it("are refused all at once, with the place under a caret and how to mend it", async () => {
		write({
			"1.0.0_a.sql": GOOD.replace("schema", "tables").replace("-- migrate:down\nDROP TABLE a;\n", ""),
			"bad.sql": GOOD,
		});
		assert.throws(
			() => loadMigrations(directory),
			(error: Error) =>
				error.message.startsWith("3 problems in the migration files, nothing was run:\n") &&
				error.message.includes("use one of schema, data, index, function") &&
				error.message.includes("put -- migrate:down"),
		);
		rmSync(join(directory, "bad.sql"));
		write({ "1.0.0_a.sql": GOOD.replace("id int", "'đ' int,") });
		await assert.rejects(verifyMigrations(loadMigrations(directory)), (error: Error) =>
			error.message.endsWith(
				`1.0.0_a.sql:3: syntax error at or near "'đ'"; correct the SQL\n  CREATE TABLE a ('đ' int,);\n                  ^`,
			),
		);
	});

	it("of a directory that is not there are one clear error", () => {
		const missing = join(directory, "nowhere");
		assert.throws(
			() => loadMigrations(missing),
			new RegExp(`cannot read the migrations in ${missing}: ENOENT`),
		);
	});

	it("of the counting system are right", async () => {
		const migrations = loadMigrations("migrations");
		await verifyMigrations(migrations);
		assert.deepEqual(
			migrations.map(({ version, name, type, dependsOn }) => [version, name, type, dependsOn]),
			[
				["1.0.0", "create_initial_schema", "schema", []],
				["1.1.0", "add_camera_metadata", "schema", ["create_initial_schema"]],
				["1.2.0", "create_counting_results_table", "schema", ["create_initial_schema"]],
				["1.3.0", "add_performance_indexes", "index", ["create_counting_results_table"]],
				["1.4.0", "add_ingested_batches", "schema", ["create_counting_results_table"]],
			],
		);
	});
});
