import assert from "node:assert/strict";
import { describeFindings, type Finding, PreflightError } from "../../components/replication/finding";
import { replicationHazards } from "../../components/replication/hazards";
import { qualifiedName, type ReplicatedTable } from "../../components/replication/tables";

function table(
	schema: string,
	name: string,
	columns: Record<string, string>,
	more: Partial<ReplicatedTable> = {},
): ReplicatedTable {
	return {
		schema,
		name,
		sql: qualifiedName(schema, name),
		columns: Object.entries(columns).map(([column, type]) => ({
			name: column,
			type: type.replace(/ (not null|generated)$/, ""),
			builtIn: true,
			generated: type.endsWith(" generated"),
			nullable: !type.endsWith(" not null"),
		})),
		identity: "key",
		keyIndex: `${name}_pkey`,
		partitioned: false,
		leaves: [{ sql: qualifiedName(schema, name), pages: 1, bytes: 8192, estimatedRows: 1 }],
		...more,
	};
}

const { keyIndex: _, ...keyless } = table("public", "visits", { at: "date", ratio: "real", note: "text" });

const LIVE: ReplicatedTable[] = [
	table("public", "cameras", {
		id: "integer not null",
		name: "character varying(100)",
		zone: "integer",
		code: "character(5)",
		price: "numeric(6,2)",
		ratio: "real",
		seen: "timestamp(3) with time zone",
		tags: "text[]",
		mood: "mood",
		twice: "integer generated",
	}),
	table("Sales", "Großer Kunde", { id: "bigint not null", "E-Mail": "text" }),
	table(
		"public",
		"events",
		{ id: "bigint not null", at: "date not null" },
		{
			partitioned: true,
			leaves: [{ sql: qualifiedName("public", "events_2026"), pages: 1, bytes: 8192, estimatedRows: 1 }],
		},
	),
	{ ...keyless, identity: "full" },
];

async function hazards(...statements: string[]): Promise<string[]> {
	const section = { sql: statements.join(";\n"), transaction: true, line: 1 };
	const findings = await replicationHazards([{ title: "m", section }], LIVE);
	return findings.map(
		({ severity, what }) => `${severity} ${what.replace(/^m, line (\d+) of its stored SQL/, "$1")}`,
	);
}

describe("the hazards of migrations while changes stream in", () => {
	it("names the migration, its line, the table, the column and how to split it", async () => {
		const sql =
			"ALTER TABLE cameras ADD COLUMN place text;\n\n-- No more needed.\nALTER TABLE cameras DROP COLUMN zone;\n";
		const section = { sql, transaction: true, line: 5 };
		assert.deepEqual(
			await replicationHazards(
				[{ title: "migration 1.2.0 drop_zone", path: "migrations/1.2.0_drop_zone.sql", section }],
				LIVE,
			),
			[
				{
					severity: "error",
					what: "migration 1.2.0 drop_zone, migrations/1.2.0_drop_zone.sql:8: drops column zone of public.cameras, which the live release writes",
					mend:
						"expand, then contract: let this release only add what is new, and take the old away in a release of its " +
						"own after the live release no longer writes it (its migration then says so: -- unwritten: table.column)",
				},
			],
		);
	});

	it("finds tables and columns that go away, or get another name", async () => {
		assert.deepEqual(
			await hazards(
				"ALTER TABLE cameras RENAME COLUMN zone TO area",
				"ALTER TABLE IF EXISTS public.cameras RENAME TO kameras",
				'ALTER TABLE "Sales"."Großer Kunde" DROP COLUMN "E-Mail", DROP COLUMN IF EXISTS missing',
				'DROP SCHEMA "Sales" CASCADE',
				"ALTER TABLE visits SET SCHEMA old",
				"DROP TABLE events_2026",
				"ALTER TABLE events DETACH PARTITION events_2026",
				"DROP TABLE IF EXISTS elsewhere, events CASCADE",
			),
			[
				"error 1: renames column zone of public.cameras to area, which the live release writes under its name",
				"error 2: moves public.cameras to the name kameras, which the live release writes under its name",
				'error 3: drops column E-Mail of "Sales"."Großer Kunde", which the live release writes',
				'error 4: drops "Sales"."Großer Kunde" with its schema, which the live release writes',
				"error 5: moves public.visits to schema old, which the live release writes under its name",
				"error 6: drops partition events_2026 of public.events: rows of it that arrive have no place",
				"error 7: detaches a partition from public.events: rows of it that arrive have no place",
				"error 8: drops public.events, which the live release writes",
			],
		);
		assert.deepEqual(await hazards("ALTER SCHEMA public RENAME TO old").then((found) => found.length), 3);
		assert.deepEqual(await hazards("DROP OWNED BY somebody").then((found) => found.length), 1);
		assert.deepEqual(await hazards("ALTER TABLE archive ATTACH PARTITION visits DEFAULT"), [
			"error 1: moves public.visits into archive as a partition, which the live release writes under its name",
		]);
	});

	it("leaves alone what the same migrations made, also under the name of a table that they dropped", async () => {
		assert.deepEqual(
			await hazards(
				"CREATE TABLE scratch (id bigint PRIMARY KEY, a text)",
				"ALTER TABLE scratch DROP COLUMN a, ADD COLUMN b integer NOT NULL, ADD UNIQUE (b)",
				"INSERT INTO scratch VALUES (1)",
				"DELETE FROM scratch",
				"DROP TABLE scratch",
				"ALTER TABLE cameras ADD COLUMN place text, ADD COLUMN room text",
				"ALTER TABLE cameras RENAME COLUMN place TO spot",
				"ALTER TABLE cameras ALTER spot TYPE integer USING 1, ADD CHECK (spot > 0), ADD UNIQUE (spot)",
				"CREATE UNIQUE INDEX ON cameras (spot, lower(room)) WHERE spot > 0",
				"ALTER TABLE cameras DROP COLUMN spot",
				"CREATE INDEX ON cameras (zone)",
				"ALTER TABLE cameras DROP COLUMN twice",
			),
			[],
		);
		assert.deepEqual(
			await hazards(
				"DROP TABLE visits",
				"CREATE TABLE visits (id bigint)",
				"ALTER TABLE visits DROP COLUMN id",
			),
			["error 1: drops public.visits, which the live release writes"],
		);
	});

	it("lets a type grow, with a word on the way back", async () => {
		const grown = [
			"zone TYPE bigint",
			"zone TYPE int8",
			"name TYPE varchar(120)",
			"name TYPE varchar",
			"name TYPE text",
			"code TYPE char(6)",
			"price TYPE numeric",
			"price TYPE decimal(8, 3)",
			"ratio TYPE double precision",
			"seen TYPE timestamptz",
			"seen TYPE timestamp(6) with time zone",
		];
		for (const change of grown) {
			const found = await hazards(`ALTER TABLE cameras ALTER ${change}`);
			assert.equal(found.length, 1, change);
			assert.match(
				found[0]!,
				/^warning 1: widens the type of column .*: a value that only fits the new type stops/,
				change,
			);
		}
		assert.deepEqual(await hazards("ALTER TABLE cameras ALTER price TYPE numeric(8, 3)"), [
			"warning 1: widens the type of column price of public.cameras from numeric(6,2) to numeric(8,3): " +
				"a value that only fits the new type stops the way back",
		]);
	});

	it("takes the same type, or that of a generated column, as no change", async () => {
		for (const change of [
			"zone TYPE int",
			'name TYPE varchar(100) COLLATE "C"',
			"tags TYPE text[]",
			"mood TYPE public.mood",
			"twice TYPE text",
		]) {
			assert.deepEqual(await hazards(`ALTER TABLE cameras ALTER ${change}`), [], change);
		}
	});

	it("refuses any other change of a type", async () => {
		const refused = [
			"zone TYPE smallint",
			"zone TYPE text",
			"name TYPE varchar(99)",
			"name TYPE char(200)",
			"code TYPE text",
			"code TYPE char(4)",
			"price TYPE numeric(6, 3)",
			"price TYPE numeric(8, 1)",
			"price TYPE real",
			"seen TYPE timestamp(2) with time zone",
			"seen TYPE timestamp",
			"tags TYPE text",
			"tags TYPE varchar[]",
			"mood TYPE other.feeling",
		];
		for (const change of refused) {
			const found = await hazards(`ALTER TABLE cameras ALTER ${change}`);
			assert.equal(found.length, 1, change);
			assert.match(
				found[0]!,
				/^error 1: changes the type of column .*, which may refuse or alter what/,
				change,
			);
		}
		assert.deepEqual(await hazards("ALTER TABLE cameras ALTER zone TYPE bigint USING zone * 2"), [
			"error 1: changes the type of column zone of public.cameras from integer to bigint by an expression (USING), " +
				"which rows that arrive from the live release do not pass through",
		]);
		assert.match(
			(await hazards("ALTER TABLE visits ALTER ratio TYPE float8"))[0]!,
			/^error .* are not found any more/,
		);
	});

	it("refuses to require values that the live release may leave out", async () => {
		const missing = (column: string) =>
			`requires a value of the new column ${column} of public.cameras, which rows of the live release come without`;
		assert.deepEqual(
			await hazards(
				"ALTER TABLE cameras ALTER zone SET NOT NULL",
				"ALTER TABLE cameras ADD CONSTRAINT filled NOT NULL name",
				"ALTER TABLE cameras ALTER id SET NOT NULL",
				"ALTER TABLE cameras ADD a integer NOT NULL",
				"ALTER TABLE cameras ADD b integer NOT NULL DEFAULT NULL",
				"ALTER TABLE cameras ADD c integer NOT NULL DEFAULT 0, ADD d bigserial NOT NULL, ADD e integer NOT NULL GENERATED ALWAYS AS (1) STORED, ADD f integer GENERATED ALWAYS AS IDENTITY NOT NULL",
				"ALTER TABLE cameras ADD g integer",
				"ALTER TABLE cameras ALTER g SET NOT NULL, ALTER g SET DEFAULT 1",
				"ALTER TABLE cameras ALTER c DROP DEFAULT",
				"ALTER TABLE cameras ALTER g DROP NOT NULL, ALTER g DROP DEFAULT",
			),
			[
				"error 1: refuses NULL in column zone of public.cameras, which the live release may write",
				"error 2: refuses NULL in column name of public.cameras, which the live release may write",
				`error 4: ${missing("a")}`,
				`error 5: ${missing("b")}`,
				`error 9: ${missing("c")}`,
			],
		);
		assert.deepEqual(await hazards("ALTER TABLE cameras ALTER id DROP NOT NULL"), [
			"warning 1: allows NULL in column id of public.cameras: a NULL that the new release writes stops the way back",
		]);
	});

	it("refuses to take away what tells rows apart", async () => {
		const gone = (what: string, name = "public.cameras") =>
			`takes away or replaces ${what} of ${name}, by which changed rows are found`;
		assert.deepEqual(
			await hazards(
				"ALTER TABLE cameras DROP CONSTRAINT cameras_pkey, ADD PRIMARY KEY (id, zone)",
				"ALTER TABLE cameras DROP CONSTRAINT other",
				"ALTER TABLE events RENAME CONSTRAINT events_pkey TO events_key",
				"ALTER TABLE events DROP CONSTRAINT events_key",
				'DROP INDEX "Sales"."Großer Kunde_pkey"',
				"ALTER TABLE cameras REPLICA IDENTITY NOTHING",
				"ALTER TABLE cameras REPLICA IDENTITY DEFAULT",
				"ALTER TABLE visits REPLICA IDENTITY FULL",
			),
			[
				`error 1: ${gone("constraint cameras_pkey")}`,
				"error 1: refuses NULL in column zone of public.cameras, which the live release may write",
				"warning 1: adds a primary key to public.cameras: a row that the live release writes meanwhile and that violates it stops the replication",
				`error 4: ${gone("constraint events_key", "public.events")}`,
				`error 5: ${gone("index Großer Kunde_pkey", '"Sales"."Großer Kunde"')}`,
				`error 6: ${gone("replica identity")}`,
			],
		);
		assert.deepEqual(await hazards("ALTER TABLE visits ADD place text"), [
			"error 1: adds column place to public.visits, whose rows have no key: the way back cannot tell them apart",
		]);
		assert.deepEqual(
			await hazards(
				"ALTER TABLE cameras SET UNLOGGED, FORCE ROW LEVEL SECURITY, ALTER twice DROP EXPRESSION",
			),
			[
				"error 1: makes public.cameras unlogged: nothing leads back from an unlogged table",
				"error 1: forces row security on public.cameras: what arrives is written as its owner, who is then refused",
				"error 1: makes column twice of public.cameras an ordinary column, whose values the live release does not send",
			],
		);
	});

	it("warns of restrictions that rows of the live release may violate", async () => {
		const stops = ": a row that the live release writes meanwhile and that violates it stops the replication";
		assert.deepEqual(
			await hazards(
				"ALTER TABLE cameras ADD CHECK (zone > 0), ADD CHECK (zone > 1) NOT ENFORCED",
				"ALTER TABLE cameras ADD CONSTRAINT u UNIQUE (name)",
				"ALTER TABLE cameras ADD EXCLUDE USING gist (name WITH =)",
				"CREATE UNIQUE INDEX CONCURRENTLY i ON public.cameras (lower(name))",
				"ALTER TABLE cameras ADD UNIQUE USING INDEX i",
				"ALTER TABLE events_2026 ADD FOREIGN KEY (id) REFERENCES cameras (id)",
				"ALTER TABLE cameras ADD place text CHECK (place <> name)",
			),
			[
				`warning 1: adds a CHECK constraint to public.cameras${stops}`,
				`warning 2: adds a UNIQUE constraint to public.cameras${stops}`,
				`warning 3: adds an EXCLUDE constraint to public.cameras${stops}`,
				`warning 4: makes a unique index on public.cameras${stops}`,
				"warning 6: adds a foreign key to public.events, which rows that arrive from the live release are not checked against",
				`warning 7: adds a CHECK constraint to public.cameras${stops}`,
			],
		);
	});

	it("looks at the types of live columns as well", async () => {
		assert.deepEqual(
			await hazards(
				"ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
				"ALTER TYPE public.mood ADD VALUE 'glad'",
				"ALTER TYPE unused RENAME VALUE 'a' TO 'b'",
				"ALTER TYPE mood ADD ATTRIBUTE a integer",
				"ALTER DOMAIN mood SET NOT NULL",
				"DROP TYPE mood",
				"DROP TYPE mood CASCADE",
				"DROP EXTENSION citext CASCADE",
			),
			[
				"error 1: renames the label sad of the type of column mood of public.cameras, which the live release writes",
				"warning 2: adds the label glad to the type of column mood of public.cameras: a row with it that the new release writes stops the way back",
				"error 4: changes the composite type of column mood of public.cameras, which the live release writes in its old form",
				"warning 5: restricts the domain of column mood of public.cameras: a row that the live release writes meanwhile and that violates it stops the replication",
				"error 7: drops column mood of public.cameras with its type",
				"warning 8: drops with extension citext what depends on it, maybe columns that the live release writes",
			],
		);
	});

	it("warns of rows that are changed on one side only", async () => {
		const later = "what the live release writes meanwhile arrives later and wins";
		assert.deepEqual(
			await hazards(
				"UPDATE cameras SET zone = 1",
				"WITH gone AS (DELETE FROM ONLY public.visits RETURNING *) INSERT INTO archive SELECT * FROM gone",
				"TRUNCATE scratch, events",
				"INSERT INTO cameras (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET zone = 2",
				"MERGE INTO cameras USING scratch ON true WHEN MATCHED THEN DELETE",
				"COPY cameras FROM '/tmp/rows'",
				"COPY cameras TO '/tmp/rows'",
				"CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM cameras; END",
			),
			[
				`warning 1: UPDATE of rows of public.cameras: ${later}`,
				`warning 2: DELETE of rows of public.visits: ${later}`,
				`warning 3: TRUNCATE of rows of public.events: ${later}`,
				"warning 4: INSERT into public.cameras: a row of the live release that has the same key stops the replication",
				`warning 4: ON CONFLICT DO UPDATE of rows of public.cameras: ${later}`,
				`warning 5: MERGE of rows of public.cameras: ${later}`,
				"warning 6: COPY into public.cameras: a row of the live release that has the same key stops the replication",
			],
		);
	});

	it("tells of triggers, and of what cannot be read", async () => {
		assert.deepEqual(
			await hazards(
				"CREATE TRIGGER stamp BEFORE INSERT ON cameras FOR EACH ROW EXECUTE FUNCTION stamp()",
				"ALTER TABLE cameras ENABLE ALWAYS TRIGGER stamp",
				"ALTER TABLE scratch ENABLE REPLICA TRIGGER stamp",
				"DO $$ BEGIN DELETE FROM cameras; END $$",
				"CALL app.tidy()",
				"SELECT refill(1), setval('s', 1), pg_sleep(0), pg_catalog.lower('A')",
			),
			[
				"note 1: makes trigger stamp on public.cameras, which does not fire for rows that arrive from the live release",
				"warning 2: lets trigger stamp of public.cameras fire for changes that arrive from the live release as well",
				"note 4: runs a DO block, and what that does to live tables is not known",
				"note 5: calls app.tidy, and what that does to live tables is not known",
				"note 6: calls refill, and what that does to live tables is not known",
			],
		);
	});
});

describe("findings", () => {
	const findings: Finding[] = [
		{ severity: "note", what: "a", mend: "" },
		{ severity: "warning", what: "b", mend: "look at it" },
		{ severity: "error", what: "c", mend: "mend it" },
		{ severity: "error", what: "d", mend: "mend it too" },
	];
	const lines = "error: c; mend it\nerror: d; mend it too\nwarning: b; look at it\nnote: a";

	it("are told one a line, the errors first", () => {
		assert.equal(describeFindings(findings), lines);
	});

	it("are all in the error", () => {
		const error = new PreflightError(findings);
		assert.equal(error.message, `the idle colour cannot be kept in step with the live one:\n${lines}`);
		assert.equal(error.findings, findings);
	});
});
