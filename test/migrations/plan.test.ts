import assert from "node:assert/strict";
import fc from "fast-check";
import {
	type AppliedMigration,
	compareVersions,
	type Migration,
} from "../../components/migrations/migration";
import { orderMigrations, wantedFor } from "../../components/migrations/order";
import { planMigrations } from "../../components/migrations/plan";

function migration(
	version: string,
	name: string,
	dependsOn: string[] = [],
	checksum = `sum of ${name}`,
): Migration {
	return {
		version,
		name,
		type: "schema",
		dependsOn,
		up: { sql: "SELECT 1", transaction: true, line: 3 },
		down: { sql: "SELECT 2", transaction: true, line: 5 },
		checksum,
		path: `migrations/${version}_${name}.sql`,
	};
}

function applied(
	{ version, name, dependsOn, checksum }: Migration,
	sequence: number,
	changed: Partial<AppliedMigration> = {},
): AppliedMigration {
	return {
		version,
		name,
		type: "schema",
		checksum,
		dependsOn,
		state: "applied",
		sequence,
		statementsDone: 0,
		statementSent: false,
		appliedAt: new Date("2026-01-31T08:00:00Z"),
		appliedBy: "tester",
		durationMs: 1,
		deploymentId: 1,
		...changed,
	};
}

const a = migration("1.0.0", "a");
const b = migration("1.1.0", "b", ["a"]);
const c = migration("1.2.0", "c", ["b"]);

/** A plan in short: what it applies, what it undoes, and its problems. */
function plan(records: AppliedMigration[], wanted: Migration[], allowOutOfOrder = false) {
	const { apply, undo, problems } = planMigrations(records, wanted, allowOutOfOrder);
	return { apply: apply.map(({ version }) => version), undo: undo.map(({ version }) => version), problems };
}

describe("the plan of a run", () => {
	it("applies what is missing, in order", () => {
		assert.deepEqual(plan([], [c, b, a]), { apply: ["1.0.0", "1.1.0", "1.2.0"], undo: [], problems: [] });
		assert.deepEqual(plan([applied(a, 1)], [a, b]), { apply: ["1.1.0"], undo: [], problems: [] });
	});

	it("has nothing to do when all is applied", () => {
		assert.deepEqual(plan([applied(a, 1), applied(b, 2)], [a, b]), { apply: [], undo: [], problems: [] });
	});

	it("undoes what is no longer wanted in the reverse order of its application", () => {
		const records = [applied(a, 1), applied(c, 2), applied(b, 3)];
		assert.deepEqual(plan(records, [a]), { apply: [], undo: ["1.1.0", "1.2.0"], problems: [] });
		assert.deepEqual(plan(records, []), { apply: [], undo: ["1.1.0", "1.2.0", "1.0.0"], problems: [] });
	});

	it("refuses a changed file, naming both checksums and when it was applied", () => {
		assert.deepEqual(plan([applied(a, 1)], [{ ...a, checksum: "other" }]).problems, [
			"migration 1.0.0 a: migrations/1.0.0_a.sql was changed after it was applied on 2026-01-31T08:00:00.000Z by " +
				"tester: applied with checksum sum of a, the file has other; put the file back as it was and write the " +
				"change as a new migration",
		]);
	});

	it("refuses a renamed file", () => {
		const renamed = { ...a, name: "z", path: "migrations/1.0.0_z.sql" };
		assert.deepEqual(plan([applied(a, 1)], [renamed]).problems, [
			"migration 1.0.0 a: migrations/1.0.0_z.sql was renamed after it was applied on 2026-01-31T08:00:00.000Z by " +
				"tester; give the file its name a again",
		]);
	});

	it("refuses a migration older than the newest applied one, unless it is allowed", () => {
		const late = migration("1.0.5", "late");
		const records = [applied(a, 1), applied(b, 2)];
		assert.deepEqual(plan(records, [a, b, late]).problems, [
			"migration 1.0.5 late is older than 1.1.0, the newest applied one; give it a newer version, or set " +
				"allowOutOfOrder",
		]);
		assert.deepEqual(plan(records, [a, b, late], true), { apply: ["1.0.5"], undo: [], problems: [] });
		assert.deepEqual(plan(records, [a, late], false), { apply: ["1.0.5"], undo: ["1.1.0"], problems: [] });
	});

	it("compares versions as numbers", () => {
		const nine = migration("1.9.0", "nine");
		const ten = migration("1.10.0", "ten");
		assert.deepEqual(plan([applied(nine, 1)], [nine, ten]), { apply: ["1.10.0"], undo: [], problems: [] });
		assert.equal(plan([applied(ten, 1)], [nine, ten]).problems.length, 1);
	});

	it("refuses to undo what is irreversible", () => {
		assert.deepEqual(plan([applied(a, 1, { irreversible: "rows were merged" })], []).problems, [
			"migration 1.0.0 a is applied and no longer wanted, but it cannot be undone (rows were merged); go back to " +
				"a release that has it",
		]);
	});

	it("refuses to undo what a migration that stays depends on", () => {
		assert.deepEqual(plan([applied(a, 1), applied(b, 2)], [{ ...b, dependsOn: [] }]).problems, [
			"migration 1.1.0 b stays applied and depends on a, which is no longer wanted; put the file of a back, or " +
				"take b out as well",
		]);
	});

	it("refuses a migration whose dependency the release does not have", () => {
		assert.deepEqual(plan([applied(a, 1)], [a, c]).problems, [
			"migration 1.2.0 c: it depends on b, which no migration is named; correct the name, or add that migration",
		]);
	});

	it("goes on with an interrupted migration whose file is the same", () => {
		const record = applied(b, 2, { state: "running", statementsDone: 1 });
		assert.deepEqual(plan([applied(a, 1), record], [a, b]), { apply: ["1.1.0"], undo: [], problems: [] });
	});

	it("undoes an interrupted migration whose file was mended, and applies it anew", () => {
		const record = applied(b, 2, { state: "running", statementsDone: 1 });
		const mended = { ...b, checksum: "mended" };
		assert.deepEqual(plan([applied(a, 1), record], [a, mended]), {
			apply: ["1.1.0"],
			undo: ["1.1.0"],
			problems: [],
		});
	});

	it("forgets an irreversible migration of which nothing has happened", () => {
		const record = applied(b, 2, { state: "running", irreversible: "never" });
		assert.deepEqual(plan([applied(a, 1), record], [a]), { apply: [], undo: ["1.1.0"], problems: [] });
		const begun = { ...record, statementsDone: 1 };
		assert.equal(plan([applied(a, 1), begun], [a]).problems.length, 1);
	});

	it("finishes an interrupted undo first, even when the migration is wanted again", () => {
		const record = applied(b, 2, { state: "undoing" });
		assert.deepEqual(plan([applied(a, 1), record], [a, b]), {
			apply: ["1.1.0"],
			undo: ["1.1.0"],
			problems: [],
		});
		assert.deepEqual(plan([applied(a, 1), record], [a]), { apply: [], undo: ["1.1.0"], problems: [] });
	});
});

describe("the order of migrations", () => {
	/** Migrations with unique versions, each depending on some that come earlier in a hidden order. */
	const acyclic = fc
		.uniqueArray(fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)), { maxLength: 25, selector: String })
		.chain((versions) =>
			fc.tuple(
				fc.constant(versions),
				fc.array(fc.array(fc.nat(), { maxLength: 3 }), {
					minLength: versions.length,
					maxLength: versions.length,
				}),
			),
		)
		.map(([versions, choices]) =>
			versions.map((version, index) => {
				const chosen = index === 0 ? [] : (choices[index] ?? []).map((choice) => `m${choice % index}`);
				return migration(version.join("."), `m${index}`, [...new Set(chosen)]);
			}),
		);

	it("puts dependencies first and loses nothing", () => {
		fc.assert(
			fc.property(acyclic, (migrations) => {
				const { ordered, problems } = orderMigrations(migrations);
				assert.deepEqual(problems, []);
				assert.deepEqual(new Set(ordered), new Set(migrations));
				const seen = new Set<string>();
				for (const { name, dependsOn } of ordered) {
					assert(dependsOn.every((dependency) => seen.has(dependency)));
					seen.add(name);
				}
			}),
		);
	});

	it("does not depend on the order of the files", () => {
		fc.assert(
			fc.property(
				acyclic.chain((all) =>
					fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
				),
				([all, shuffled]) =>
					assert.deepEqual(orderMigrations(shuffled).ordered, orderMigrations(all).ordered),
			),
		);
	});

	it("is that of the versions where no dependency says otherwise", () => {
		fc.assert(
			fc.property(acyclic, (migrations) => {
				const free = migrations.map((each) => ({ ...each, dependsOn: [] }));
				const versions = orderMigrations(free).ordered.map(({ version }) => version);
				assert.deepEqual(versions, [...versions].sort(compareVersions));
			}),
		);
	});

	it("follows a chain of ten thousand", () => {
		const chain = Array.from({ length: 10_000 }, (_, index) =>
			migration(`1.${index}.0`, `m${index}`, index < 9_999 ? [`m${index + 1}`] : []),
		);
		const { ordered } = orderMigrations(chain);
		assert.equal(ordered[0]?.name, "m9999");
		assert.equal(ordered.at(-1)?.name, "m0");
	});

	it("takes what a release wants", () => {
		const all = ["1.0.0", "1.9.9", "1.10.0", "2.0.0"].map((version) => migration(version, `v${version}`));
		const versions = (release: string) => wantedFor(release, all).map(({ version }) => version);
		assert.deepEqual(versions("1.10.0"), ["1.0.0", "1.9.9", "1.10.0"]);
		assert.deepEqual(versions("1.9.10"), ["1.0.0", "1.9.9"]);
		assert.deepEqual(versions("0.9.0"), []);
	});
});
