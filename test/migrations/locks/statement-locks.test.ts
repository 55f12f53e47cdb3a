import assert from "node:assert/strict";
import type { Client } from "pg";
import { connect, withClient } from "../../../components/database/connection";
import { BUILT_IN_TYPES } from "../../../components/migrations/locks/built-in-types";
import {
	blockedBy,
	LOCK_MODES,
	type LockMode,
	strongestMode,
} from "../../../components/migrations/locks/lock-modes";
import type { StatementEffect } from "../../../components/migrations/locks/statement-effect";
import { effectOf } from "../../../components/migrations/locks/statement-locks";
import { statementsOf } from "../../../components/migrations/statements";
import { type TestDatabase, testDatabase } from "../../support/postgres";
import { until } from "../../support/waiting";
import { CASES, SCHEMA, STANDALONE } from "./cases";

async function effectOfSql(sql: string): Promise<StatementEffect> {
	const [statement] = await statementsOf({ sql, transaction: true, line: 1 });
	return effectOf(statement!.node);
}

const SESSION = { applicationName: "test" };

describe("the locks of a statement", () => {
	let database: TestDatabase;
	let client: Client;
	let relations: Record<string, number>;
	/** Indexes, and sequences, which come with identities. */
	let aside: number[];

	before(async () => {
		database = await testDatabase();
		client = await connect(database.superuser, SESSION);
		await client.query(SCHEMA);
		const { rows } = await client.query(
			`SELECT relname, oid::int, relkind IN ('i', 'S') AS aside FROM pg_class
			WHERE relnamespace IN ('public'::regnamespace, 'old'::regnamespace) AND relkind <> 'c'`,
		);
		relations = Object.fromEntries(rows.map(({ relname, oid }) => [relname, oid]));
		aside = rows.filter((row) => row.aside).map(({ oid }) => oid);
	});

	after(async () => {
		await client.end();
		await database.drop();
	});

	/** What words for relations that a statement does not name mean here. */
	const MEANT: Record<string, string> = {
		"every relation that uses small": "tiny",
		"every table with a column of small": "tiny",
		"every relation that uses pair": "typed",
		"every table of type pair": "typed",
		"every table of old": "leftover",
	};
	const oidOf = (relation: string) =>
		relations[MEANT[relation] ?? (/^(the|every) /.test(relation) ? "t" : relation)];

	const nameOf = (oid: number | undefined) => Object.keys(relations).find((name) => relations[name] === oid);

	/**
	 * The strongest lock of each relation that was there before. Left out unless they are asked for: indexes, sequences, and what is
	 * only read, such as the tables of a view.
	 */
	async function heldLocks(asked: readonly (number | undefined)[]): Promise<Map<number, LockMode>> {
		const { rows } = await client.query(
			`SELECT relation::int, array_agg(mode) AS modes FROM pg_locks
			WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation = ANY ($1::int[]) GROUP BY relation`,
			[Object.values(relations)],
		);
		return new Map(
			rows
				.map(({ relation, modes }): [number, LockMode] => [relation, strongestMode(modes.map(modeOf))!])
				.filter(
					([relation, mode]) =>
						asked.includes(relation) || (mode !== "ACCESS SHARE" && !aside.includes(relation)),
				),
		);
	}

	/** Which files there are of tables and of their indexes, and how often tables were read from end to end. */
	async function workState() {
		const { rows } = await client.query(
			`SELECT oid::int, relkind = 'i' AS index, pg_relation_filenode(oid)::int AS file,
				coalesce(pg_stat_get_xact_numscans(oid), 0)::int AS scans
			FROM pg_class LEFT JOIN pg_index ON indexrelid = oid
			WHERE relkind <> 'S' AND coalesce(indrelid, oid)::int = ANY ($1::int[])`,
			[Object.values(relations)],
		);
		return rows as { oid: number; index: boolean; file: number | null; scans: number }[];
	}

	async function workOf(statement: string): Promise<string> {
		const before = await workState();
		await client.query(statement);
		const after = await workState();
		const files = new Set(before.map(({ file }) => file));
		const fresh = after.filter(({ file }) => !files.has(file));
		if (fresh.some(({ index }) => !index)) return "rewrites the table";
		if (fresh.some(({ index }) => index)) return "builds an index";
		const scans = (state: typeof before) =>
			state.filter(({ index }) => !index).reduce((sum, each) => sum + each.scans, 0);
		return scans(after) > scans(before) ? "scans the table" : "catalog only";
	}

	for (const [sql, locks, work, besides = {}] of CASES) {
		it(`are those that PostgreSQL takes, and its work is what PostgreSQL does: ${sql}`, async () => {
			const found = await effectOfSql(sql);
			assert.deepEqual(Object.fromEntries(found.locks.map(({ relation, mode }) => [relation, mode])), locks);
			assert.equal(found.work, work);
			await client.query("BEGIN");
			try {
				const done = await workOf(sql);
				assert.equal(found.notes.length > 0 || Object.keys(besides).length === 0, true, "told in a note");
				const told = [
					...found.locks.map(({ relation, mode }) => [relation, mode] as const),
					...Object.entries(besides),
				];
				const expected = told.map(([relation, mode]) => [oidOf(relation), mode] as const);
				const held = await heldLocks(expected.map(([oid]) => oid));
				assert.deepEqual(held, new Map(expected), "locks");
				// ANALYZE reads a sample, TRUNCATE gives the table an empty file; rows are read and changed in many ways.
				if (!/^(ANALYZE|TRUNCATE)/.test(sql) && !work.endsWith(" rows")) assert.equal(done, work);
			} finally {
				await client.query("ROLLBACK");
			}
		});
	}

	for (const [type, done] of [
		["positive", "rewrites the table"],
		["mood", "catalog only"],
	] as const) {
		it(`do not tell whether a type that is not PostgreSQL's own is a domain with constraints: ${type}`, async () => {
			const sql = `ALTER TABLE t ADD COLUMN c ${type}`;
			const { work, notes } = await effectOfSql(sql);
			assert.deepEqual(
				[work, notes],
				["catalog only", [`rewrites the table if ${type} is a domain with constraints`]],
			);
			await client.query("BEGIN");
			try {
				assert.equal(await workOf(sql), done);
			} finally {
				await client.query("ROLLBACK");
			}
		});
	}

	it("know PostgreSQL's own types, none of which is a domain", async () => {
		const { rows } = await client.query(
			`SELECT typname FROM pg_type
			WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typcategory <> 'A'`,
		);
		assert.deepEqual(BUILT_IN_TYPES, new Set(rows.map(({ typname }) => typname)));
		for (const type of [
			"int",
			"varchar(5)",
			"timestamp with time zone",
			"text[]",
			"positive[]",
			"bigserial",
			"jsonb",
		]) {
			const { notes } = await effectOfSql(`ALTER TABLE t ADD COLUMN c ${type}`);
			assert.deepEqual(notes, [], type);
		}
	});

	for (const [sql, locks, work] of STANDALONE) {
		it(`is what it waits for where it cannot run in a transaction: ${sql}`, async () => {
			const found = await effectOfSql(sql);
			assert.deepEqual(Object.fromEntries(found.locks.map(({ relation, mode }) => [relation, mode])), locks);
			assert.equal(found.work, work);
			await withClient(database.superuser, SESSION, async (other) => {
				const { rows } = await other.query("SELECT pg_backend_pid() AS pid");
				const relation = oidOf(Object.keys(locks)[0]!);
				await client.query(`BEGIN; LOCK TABLE ${nameOf(relation)} IN SHARE UPDATE EXCLUSIVE MODE`);
				const waiting = other.query(sql).catch((error: Error) => error);
				try {
					const mode = await until("the statement waits for its lock", async () => {
						const { rows: waits } = await client.query(
							"SELECT mode FROM pg_locks WHERE pid = $1 AND NOT granted AND relation = $2",
							[rows[0].pid, relation],
						);
						return waits[0]?.mode as string | undefined;
					});
					assert.equal(modeOf(mode), found.locks[0]?.mode);
				} finally {
					await client.query("SELECT pg_cancel_backend($1)", [rows[0].pid]);
					await waiting;
					await client.query("ROLLBACK");
				}
			});
		});
	}

	it("block what PostgreSQL's conflict table says: reads, writes, or nothing", async () => {
		await withClient(database.superuser, SESSION, async (other) => {
			await other.query("SET lock_timeout = '20ms'");
			const passes = (statement: string) =>
				other.query(statement).then(
					() => true,
					(error: { code: string }) => {
						assert.equal(error.code, "55P03");
						return false;
					},
				);
			for (const mode of LOCK_MODES) {
				await client.query(`BEGIN; LOCK TABLE loose IN ${mode} MODE`);
				const reads = await passes("SELECT FROM loose LIMIT 1");
				const writes = await passes("INSERT INTO loose VALUES (1)");
				await client.query("ROLLBACK");
				const blocked = writes ? "nothing" : reads ? "writes" : "reads and writes";
				assert.equal(blockedBy(mode), blocked, mode);
			}
		});
	});
});

describe("a statement whose locks cannot be read from it", () => {
	for (const [sql, relations, work, note] of [
		["DO $$ BEGIN END $$", [], "unknown", "what a DO block locks and does cannot be read from here"],
		["CALL fill()", [], "unknown", "what a procedure locks and does cannot be read from here"],
		["SELECT fill() FROM t", ["t"], "unknown", "what the functions lock and do cannot be read from here"],
		["DROP EXTENSION pgcrypto", [], "unknown", "what belongs to the extension cannot be read from here"],
		["CREATE EXTENSION pgcrypto", [], "unknown", "what it locks and does cannot be read from here"],
		[
			"ALTER TABLE t ADD COLUMN c text DEFAULT own_default()",
			["t"],
			"rewrites the table",
			"only the catalog changes if own_default is not volatile",
		],
	] as const) {
		it(`says so: ${sql}`, async () => {
			const found = await effectOfSql(sql);
			assert.deepEqual(
				[found.locks.map(({ relation }) => relation), found.work, found.notes],
				[relations, work, [note]],
			);
		});
	}

	it("has names quoted only where they must be, with their schema where it is not public", async () => {
		const { locks } = await effectOfSql('LOCK TABLE public.t, old.t, "Odd|name" IN SHARE MODE');
		assert.deepEqual(
			locks.map(({ relation }) => relation),
			["t", "old.t", '"Odd|name"'],
		);
	});
});

/** `AccessExclusiveLock` as `ACCESS EXCLUSIVE`. */
function modeOf(name: string): LockMode {
	const words = name
		.replace(/Lock$/, "")
		.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
		.toUpperCase();
	return LOCK_MODES.find((mode) => mode === words)!;
}
