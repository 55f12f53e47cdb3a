import assert from "node:assert/strict";
import { inPlaceChanges } from "../../components/report/in-place-changes";

async function changesOf(...sections: string[]): Promise<[what: string, breaks: boolean][]> {
	const placed = sections.map((sql) => ({
		section: { sql, transaction: true, line: 1 },
		title: "m.sql",
		unwritten: ["t.old", "unused"],
	}));
	return (await inPlaceChanges(placed)).map(({ what, breaks }) => [what.replace("m.sql:1: ", ""), breaks]);
}

describe("what a migration in place does to the release that serves meanwhile", () => {
	for (const [sql, what, breaks] of [
		["ALTER TABLE t DROP COLUMN a", "drops column a of t", true],
		["DROP TABLE t", "drops table t", true],
		["DROP MATERIALIZED VIEW seen", "drops materialized view seen", true],
		["DROP SCHEMA old CASCADE", "drops schema old", true],
		["ALTER TABLE t RENAME a TO b", "renames column a of t to b", true],
		["ALTER TABLE t RENAME TO u", "renames t to u", true],
		["ALTER SCHEMA old RENAME TO new", "renames schema old", true],
		["ALTER TABLE t SET SCHEMA old", "moves t to another schema", true],
		["ALTER TABLE t ADD a int NOT NULL", "requires a value of the new column a of t", true],
		["ALTER TABLE t ALTER a TYPE bigint", "changes the type of column a of t", false],
		["ALTER TABLE t ALTER a SET NOT NULL", "refuses rows of t without a value in column a", false],
		[
			"ALTER TABLE t ALTER a DROP DEFAULT",
			"refuses rows of t that leave column a to its default, where it may not be NULL",
			false,
		],
		[
			"ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p",
			"refuses rows of t that a new constraint is against",
			false,
		],
		["ALTER TABLE t ENABLE ROW LEVEL SECURITY", "changes which rows of t it sees and may write", false],
		["CREATE POLICY p ON t", "changes which rows of t it sees and may write", false],
		[
			"CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING",
			"makes a rule that acts on its statements on t",
			false,
		],
		[
			"CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
			"makes a trigger that acts on what it writes into t",
			false,
		],
		[
			"ALTER TABLE t DISABLE TRIGGER r",
			"changes which triggers and rules act on what it writes into t",
			false,
		],
		["CREATE UNIQUE INDEX i ON t (a)", "refuses a second row of t with the same key", false],
		["CREATE TABLE u (t_id int REFERENCES t)", "refuses to delete rows of t that are referred to", false],
		["DELETE FROM t", "changes rows of t", false],
		["TRUNCATE t", "takes all rows of t away", false],
		["DROP FUNCTION f()", "drops function f", false],
		["DROP INDEX i", "drops index i", false],
		["REVOKE SELECT ON t FROM service", "takes rights away", false],
		[
			"ALTER DOMAIN small ADD CHECK (VALUE > 0) NOT VALID",
			"narrows a domain: values that are against it are refused",
			false,
		],
		["DO $$ BEGIN END $$", "does what cannot be read from it", false],
	] as const) {
		it(`is told, and whether that breaks: ${sql}`, async () => {
			assert.deepEqual(await changesOf(sql), [[what, breaks]]);
		});
	}

	it("breaks nothing where it drops what is no longer written", async () => {
		const unused = ", which is no longer written by its migration's word";
		assert.deepEqual(await changesOf("ALTER TABLE t DROP old; DROP TABLE unused; DROP TABLE unused, t"), [
			[`drops column old of t${unused}`, false],
			[`drops table unused${unused}`, false],
			["drops table unused, t", true],
		]);
	});

	it("is nothing where it adds, or where its own tables change, also those of a migration before", async () => {
		assert.deepEqual(
			await changesOf(
				"ALTER TABLE t ADD a int; ALTER TABLE t ADD b int NOT NULL DEFAULT 1; CREATE INDEX i ON t (a); CREATE TABLE u (a int)",
				"ALTER TABLE u RENAME a TO b; ALTER TABLE u ADD c int NOT NULL; CREATE UNIQUE INDEX j ON u (b); DROP TABLE u",
			),
			[],
		);
	});
});
