import type { LockMode } from "../../../components/migrations/locks/lock-modes";
import type { Work } from "../../../components/migrations/locks/statement-effect";

/** What there is before each case. */
export const SCHEMA = `
	CREATE TABLE parent (id int PRIMARY KEY, name text);
	CREATE TABLE t (
		id int PRIMARY KEY, a int NOT NULL, b text, v varchar(10), parent_id int, doubled int GENERATED ALWAYS AS (a * 2) STORED
	);
	CREATE TABLE child (id int PRIMARY KEY, t_id int CONSTRAINT child_t REFERENCES t);
	CREATE INDEX t_a ON t (a);
	CREATE UNIQUE INDEX t_unique ON t (id, a);
	CREATE VIEW view_of_t AS SELECT id FROM t;
	CREATE MATERIALIZED VIEW seen AS SELECT id, a FROM t;
	CREATE UNIQUE INDEX seen_id ON seen (id);
	CREATE SEQUENCE numbers;
	CREATE TABLE whole (id int) PARTITION BY RANGE (id);
	CREATE TABLE piece PARTITION OF whole FOR VALUES FROM (0) TO (10);
	CREATE TABLE loose (id int);
	CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE TRIGGER touched BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION nothing();
	CREATE POLICY allowed ON t;
	CREATE TYPE mood AS ENUM ('glad');
	CREATE DOMAIN small AS int;
	CREATE TABLE tiny (size small);
	CREATE PUBLICATION changes;
	INSERT INTO parent SELECT n, n FROM generate_series(1, 50) AS n;
	INSERT INTO t SELECT n, n, 'text', 'short', n FROM generate_series(1, 50) AS n;
	ALTER TABLE t ADD CONSTRAINT a_small CHECK (a < 1000) NOT VALID;
	INSERT INTO loose SELECT generate_series(20, 25);
	INSERT INTO tiny VALUES (1);`;

/** A statement, what it locks, and what its work is. */
export type Case = readonly [sql: string, locks: Record<string, LockMode>, work: Work];

const AE = "ACCESS EXCLUSIVE";
const SRE = "SHARE ROW EXCLUSIVE";
const SUE = "SHARE UPDATE EXCLUSIVE";

/** Statements that can run in a transaction, each of which is tried on PostgreSQL. */
export const CASES: readonly Case[] = [
	["ALTER TABLE t ADD COLUMN c int", { t: AE }, "catalog only"],
	["ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 5", { t: AE }, "catalog only"],
	["ALTER TABLE t ADD COLUMN c timestamptz NOT NULL DEFAULT now()", { t: AE }, "catalog only"],
	["ALTER TABLE t ADD COLUMN c jsonb NOT NULL DEFAULT '{}'", { t: AE }, "catalog only"],
	["ALTER TABLE t ADD COLUMN c uuid DEFAULT gen_random_uuid()", { t: AE }, "rewrites the table"],
	["ALTER TABLE t ADD COLUMN c timestamptz DEFAULT clock_timestamp()", { t: AE }, "rewrites the table"],
	["ALTER TABLE t ADD COLUMN c serial", { t: AE }, "rewrites the table"],
	["ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS IDENTITY", { t: AE }, "rewrites the table"],
	["ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a + 1) STORED", { t: AE }, "rewrites the table"],
	["ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a + 1) VIRTUAL", { t: AE }, "catalog only"],
	["ALTER TABLE t ADD COLUMN c int UNIQUE", { t: AE }, "builds an index"],
	["ALTER TABLE t ADD COLUMN c int CHECK (c > 0)", { t: AE }, "scans the table"],
	["ALTER TABLE t ADD COLUMN c int REFERENCES parent", { t: AE, parent: SRE }, "catalog only"],
	["ALTER TABLE t ADD COLUMN c int DEFAULT 1 REFERENCES parent", { t: AE, parent: SRE }, "scans the table"],
	["ALTER TABLE t DROP COLUMN b", { t: AE }, "catalog only"],
	["ALTER TABLE t ALTER b SET DEFAULT 'x'", { t: AE }, "catalog only"],
	["ALTER TABLE t ALTER a DROP NOT NULL", { t: AE }, "catalog only"],
	["ALTER TABLE t ALTER b SET NOT NULL", { t: AE }, "scans the table"],
	["ALTER TABLE loose ALTER id TYPE bigint", { loose: AE }, "rewrites the table"],
	["ALTER TABLE t ALTER doubled DROP EXPRESSION", { t: AE }, "catalog only"],
	["ALTER TABLE t ALTER doubled SET EXPRESSION AS (a * 3)", { t: AE }, "rewrites the table"],
	["ALTER TABLE t ALTER a SET STATISTICS 500", { t: SUE }, "catalog only"],
	["ALTER TABLE t ALTER a SET (n_distinct = 5)", { t: SUE }, "catalog only"],
	["ALTER TABLE t ALTER b SET STORAGE EXTERNAL", { t: AE }, "catalog only"],
	["ALTER TABLE t ALTER b SET COMPRESSION pglz", { t: AE }, "catalog only"],
	["ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY", { t: AE }, "catalog only"],
	["ALTER TABLE t ADD CHECK (a > 0)", { t: AE }, "scans the table"],
	["ALTER TABLE t ADD CHECK (a > 0) NOT VALID", { t: AE }, "catalog only"],
	["ALTER TABLE t ADD CHECK (a > 0) NOT ENFORCED", { t: AE }, "catalog only"],
	["ALTER TABLE t ADD CONSTRAINT b_there NOT NULL b NOT VALID", { t: AE }, "catalog only"],
	["ALTER TABLE t ADD FOREIGN KEY (parent_id) REFERENCES parent", { t: SRE, parent: SRE }, "scans the table"],
	[
		"ALTER TABLE t ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID",
		{ t: SRE, parent: SRE },
		"catalog only",
	],
	["ALTER TABLE t ADD UNIQUE (a)", { t: AE }, "builds an index"],
	["ALTER TABLE t ADD UNIQUE USING INDEX t_unique", { t: AE }, "catalog only"],
	["ALTER TABLE loose ADD PRIMARY KEY (id)", { loose: AE }, "builds an index"],
	["ALTER TABLE t ADD EXCLUDE (a WITH =)", { t: AE }, "builds an index"],
	["ALTER TABLE t VALIDATE CONSTRAINT a_small", { t: SUE }, "scans the table"],
	["ALTER TABLE t DROP CONSTRAINT a_small", { t: AE }, "catalog only"],
	["ALTER TABLE child ALTER CONSTRAINT child_t DEFERRABLE", { child: AE }, "catalog only"],
	["ALTER TABLE t DISABLE TRIGGER touched", { t: SRE }, "catalog only"],
	["ALTER TABLE t ENABLE ALWAYS TRIGGER touched", { t: SRE }, "catalog only"],
	["ALTER TABLE t SET (fillfactor = 70)", { t: SUE }, "catalog only"],
	["ALTER TABLE t SET (autovacuum_vacuum_scale_factor = 0.1)", { t: SUE }, "catalog only"],
	["ALTER TABLE t SET (user_catalog_table = true)", { t: AE }, "catalog only"],
	["ALTER TABLE t SET WITHOUT CLUSTER", { t: SUE }, "catalog only"],
	["ALTER TABLE t CLUSTER ON t_a", { t: SUE }, "catalog only"],
	["ALTER TABLE t REPLICA IDENTITY FULL", { t: AE }, "catalog only"],
	["ALTER TABLE t ENABLE ROW LEVEL SECURITY", { t: AE }, "catalog only"],
	["ALTER TABLE loose SET UNLOGGED", { loose: AE }, "rewrites the table"],
	["ALTER TABLE t RENAME COLUMN b TO c", { t: AE }, "catalog only"],
	["ALTER TABLE t RENAME TO u", { t: AE }, "catalog only"],
	[
		"ALTER TABLE whole ATTACH PARTITION loose FOR VALUES FROM (20) TO (30)",
		{ whole: SUE, loose: AE },
		"scans the table",
	],
	["ALTER TABLE whole DETACH PARTITION piece", { whole: AE, piece: AE }, "catalog only"],
	["CREATE TABLE piece_2 PARTITION OF whole FOR VALUES FROM (10) TO (20)", { whole: AE }, "catalog only"],
	["CREATE TABLE fresh (id int PRIMARY KEY, t_id int REFERENCES t)", { t: SRE }, "catalog only"],
	["CREATE TABLE fresh (LIKE t)", { t: "ACCESS SHARE" }, "catalog only"],
	["CREATE TABLE fresh () INHERITS (parent)", { parent: SUE }, "catalog only"],
	["CREATE TABLE fresh AS SELECT * FROM t", { t: "ACCESS SHARE" }, "reads rows"],
	["CREATE INDEX fresh ON t (b)", { t: "SHARE" }, "builds an index"],
	["DROP INDEX t_a", { "the table of t_a": AE }, "catalog only"],
	["REINDEX INDEX t_a", { "the table of t_a": "SHARE" }, "builds an index"],
	["REINDEX TABLE t", { t: "SHARE" }, "builds an index"],
	["ALTER INDEX t_a RENAME TO t_b", { t_a: SUE }, "catalog only"],
	["DROP TABLE loose", { loose: AE }, "catalog only"],
	["DROP VIEW view_of_t", { view_of_t: AE }, "catalog only"],
	["TRUNCATE loose", { loose: AE }, "catalog only"],
	["CLUSTER t USING t_a", { t: AE }, "rewrites the table"],
	["ANALYZE t", { t: SUE }, "scans the table"],
	["LOCK TABLE t IN SHARE MODE", { t: "SHARE" }, "catalog only"],
	["LOCK TABLE t IN EXCLUSIVE MODE", { t: "EXCLUSIVE" }, "catalog only"],
	["REFRESH MATERIALIZED VIEW seen", { seen: AE }, "rewrites the table"],
	[
		"CREATE TRIGGER fresh BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION nothing()",
		{ t: SRE },
		"catalog only",
	],
	["DROP TRIGGER touched ON t", { t: AE }, "catalog only"],
	["CREATE RULE fresh AS ON DELETE TO t DO INSTEAD NOTHING", { t: AE }, "catalog only"],
	["CREATE POLICY fresh ON t", { t: AE }, "catalog only"],
	["DROP POLICY allowed ON t", { t: AE }, "catalog only"],
	["CREATE STATISTICS fresh ON a, b FROM t", { t: SUE }, "catalog only"],
	["COMMENT ON TABLE t IS 'x'", { t: SUE }, "catalog only"],
	["COMMENT ON COLUMN t.a IS 'x'", { t: SUE }, "catalog only"],
	["COMMENT ON FUNCTION nothing IS 'x'", {}, "catalog only"],
	["ALTER SEQUENCE numbers INCREMENT 2", { numbers: SRE }, "catalog only"],
	["ALTER PUBLICATION changes ADD TABLE t", { t: SUE }, "catalog only"],
	["CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'", {}, "catalog only"],
	["CREATE TYPE fresh AS ENUM ('a')", {}, "catalog only"],
	["ALTER TYPE mood ADD VALUE 'sad'", {}, "catalog only"],
	["CREATE SCHEMA fresh", {}, "catalog only"],
	["UPDATE t SET b = 'x' WHERE id = 1", { t: "ROW EXCLUSIVE" }, "changes rows"],
	["DELETE FROM child", { child: "ROW EXCLUSIVE" }, "changes rows"],
	[
		"INSERT INTO parent SELECT id + 100 FROM t",
		{ parent: "ROW EXCLUSIVE", t: "ACCESS SHARE" },
		"changes rows",
	],
	[
		"WITH old AS (DELETE FROM child RETURNING id) INSERT INTO parent SELECT id FROM old",
		{ child: "ROW EXCLUSIVE", parent: "ROW EXCLUSIVE" },
		"changes rows",
	],
	["SELECT id FROM t FOR UPDATE", { t: "ROW SHARE" }, "reads rows"],
	["SELECT id FROM t", { t: "ACCESS SHARE" }, "reads rows"],
];

/** Statements that cannot run in a transaction: what is tried is the lock that each of them waits for. */
export const STANDALONE: readonly Case[] = [
	["CREATE INDEX CONCURRENTLY fresh ON t (b)", { t: SUE }, "builds an index"],
	["DROP INDEX CONCURRENTLY t_a", { "the table of t_a": SUE }, "catalog only"],
	["REINDEX INDEX CONCURRENTLY t_a", { "the table of t_a": SUE }, "builds an index"],
	["REINDEX TABLE CONCURRENTLY t", { t: SUE }, "builds an index"],
	["VACUUM t", { t: SUE }, "scans the table"],
	["VACUUM (FULL) t", { t: AE }, "rewrites the table"],
];
