import assert from "node:assert/strict";
import { sectionEffects } from "../../../components/migrations/locks/section-effects";

/** The locks of each statement, as far as somebody could wait for them. */
async function locksOf(sql: string): Promise<string[]> {
	const statements = await sectionEffects({ sql, transaction: true, line: 1 });
	return statements.map(({ effect }) =>
		effect.locks.map(({ mode, relation }) => `${mode} ${relation}`).join(),
	);
}

describe("the locks of a migration's statements", () => {
	it("leave out what the migration has made itself", async () => {
		assert.deepEqual(
			await locksOf(`
				CREATE TABLE fresh (id int);
				CREATE INDEX fresh_id ON fresh (id);
				ALTER TABLE fresh RENAME TO named;
				ALTER TABLE named ADD COLUMN a int;
				DROP TABLE named;
				SELECT 1 AS a INTO copied;
				TRUNCATE copied;
				CREATE SEQUENCE numbers;
				DROP SEQUENCE numbers`),
			["", "", "", "", "", "", "", "", ""],
		);
	});

	for (const [makes, uses, locks] of [
		["CREATE TABLE IF NOT EXISTS t (id int)", "DROP TABLE t", "ACCESS EXCLUSIVE t"],
		["CREATE TABLE IF NOT EXISTS t AS SELECT 1", "ALTER TABLE t ADD a int", "ACCESS EXCLUSIVE t"],
		[
			"CREATE MATERIALIZED VIEW IF NOT EXISTS t AS SELECT 1",
			"REFRESH MATERIALIZED VIEW t",
			"ACCESS EXCLUSIVE t",
		],
		["CREATE SEQUENCE IF NOT EXISTS t", "ALTER SEQUENCE t INCREMENT 2", "SHARE ROW EXCLUSIVE t"],
		["CREATE INDEX IF NOT EXISTS i ON t (id)", "ALTER INDEX i RENAME TO j", "SHARE UPDATE EXCLUSIVE i"],
	] as const) {
		it(`has those of what may have been there before: ${makes}`, async () => {
			assert.equal((await locksOf(`${makes}; ${uses}`))[1], locks);
		});
	}

	for (const [title, sql] of [
		["made again under its name", "DROP TABLE IF EXISTS t; CREATE TABLE t (id int); ALTER TABLE t ADD a int"],
		["hidden by a temporary one", "SELECT 1; CREATE TEMP TABLE t (id int); ALTER TABLE public.t ADD a int"],
		["of another schema", "CREATE TABLE t (id int); SET search_path = other; ALTER TABLE t ADD a int"],
		[
			"given the name of one that was moved",
			"CREATE TABLE t (); ALTER TABLE t SET SCHEMA old; ALTER TABLE t ADD a int",
		],
		["renamed to one that was made", "CREATE TABLE t (); ALTER TABLE t RENAME TO u; ALTER TABLE t ADD a int"],
	] as const) {
		it(`has those of a table that is ${title}`, async () => {
			assert.equal((await locksOf(sql))[2], "ACCESS EXCLUSIVE t");
		});
	}
});
