import assert from "node:assert/strict";
import { describePlan } from "../../components/migrations/describe";
import { lintSections } from "../../components/migrations/lint";
import type { Migration } from "../../components/migrations/migration";
import { MigrationFilesError } from "../../components/migrations/problems";

function section(sql: string, transaction = true, line = 1) {
	return { sql, transaction, line };
}

function migration(version: string, up: string, transaction = true): Migration {
	return {
		version,
		name: "change",
		type: "schema",
		dependsOn: ["base", "other"],
		up: section(up, transaction, 4),
		down: section("DROP TABLE cameras;", true, 9),
		checksum: "0",
		path: `migrations/${version}_change.sql`,
	};
}

describe("the preview of migrations", () => {
	it("warns of what blocks the service, by the line of its file", async () => {
		const warnings = await lintSections([
			{
				version: "1.0.0",
				direction: "up",
				section: section("SELECT 1;\nCREATE INDEX i ON cameras (id);", true, 10),
			},
			{
				version: "1.1.0",
				direction: "up",
				section: section("CREATE INDEX CONCURRENTLY i ON cameras (id);", false),
			},
			{
				version: "1.2.0",
				direction: "down",
				section: section("ALTER TABLE cameras DROP COLUMN metadata;", true, 3),
			},
		]);
		assert.deepEqual(
			warnings?.map(({ version, direction, line, rule }) => [version, direction, line, rule]),
			[
				["1.0.0", "up", 11, "require-concurrent-index-creation"],
				["1.2.0", "down", 3, "ban-drop-column"],
			],
		);
	});

	it("knows whether a statement stands in a transaction", async () => {
		const sql = "CREATE TABLE other (id bigint);\nCREATE INDEX CONCURRENTLY i ON cameras (id);";
		const rules = async (transaction: boolean) =>
			(await lintSections([{ version: "1.0.0", direction: "up", section: section(sql, transaction) }]))?.map(
				({ rule }) => rule,
			);
		assert.deepEqual(await rules(true), ["ban-concurrent-index-creation-in-transaction"]);
		assert.deepEqual(await rules(false), []);
	});

	it("shows each migration with its SQL, its transaction and its warnings", async () => {
		const text = await describePlan({
			plan: {
				apply: [
					migration("1.1.0", "CREATE INDEX i\n\tON cameras (id);\n"),
					migration("1.2.0", "VACUUM", false),
				],
				undo: [
					{
						version: "1.0.5",
						name: "gone",
						type: "data",
						checksum: "0",
						dependsOn: [],
						state: "applied",
						sequence: 2,
						statementsDone: 0,
						statementSent: false,
						appliedAt: new Date(),
						appliedBy: "tester",
						durationMs: 1,
						deploymentId: 1,
					},
				],
				problems: ["one thing is wrong"],
			},
			stored: new Map([
				["1.0.5", { version: "1.0.5", up: section("SELECT 1"), down: section("DELETE FROM cameras;") }],
			]),
		});
		assert.equal(
			text,
			[
				"refused: one thing is wrong",
				"undo 1.0.5 gone (data; in a transaction)",
				"  saves first what it destroys of cameras",
				"    DELETE FROM cameras;",
				"apply 1.1.0 change (schema; in a transaction; after base, other)",
				"    CREATE INDEX i",
				"    \tON cameras (id);",
				"  warning: migrations/1.1.0_change.sql:4: During normal index creation, table updates are blocked, but reads " +
					"are still allowed. Use `concurrently` to avoid blocking writes. (require-concurrent-index-creation)",
				"apply 1.2.0 change (schema; statement by statement, outside a transaction; after base, other)",
				"    VACUUM",
			].join("\n"),
		);
	});

	it("shows nothing when there is nothing to do", async () => {
		assert.equal(await describePlan({ plan: { apply: [], undo: [], problems: [] }, stored: new Map() }), "");
	});

	it("refuses SQL that would be refused when it runs", async () => {
		const plan = { apply: [migration("1.0.0", "CREAT TABLE a ()")], undo: [], problems: [] };
		await assert.rejects(describePlan({ plan, stored: new Map() }), MigrationFilesError);
	});
});
