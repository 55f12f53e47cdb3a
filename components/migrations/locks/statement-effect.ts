import type { RangeVar } from "libpg-query";
import { escapeIdentifier } from "pg";
import { type LockMode, strongestMode } from "./lock-modes";

/**
 * What a statement does while it holds its locks, by how long that takes.
 * - `catalog only`: at once, whatever the size of the table.
 * - `scans the table`, `rewrites the table`, `builds an index`: longer with every row.
 * - `reads rows`, `changes rows`: as long as the rows that it names take.
 * - `unknown`: cannot be read from the statement.
 */
export type Work =
	| "catalog only"
	| "reads rows"
	| "changes rows"
	| "scans the table"
	| "builds an index"
	| "rewrites the table"
	| "unknown";

/** The quickest first. */
const WORK: readonly Work[] = [
	"catalog only",
	"reads rows",
	"changes rows",
	"scans the table",
	"builds an index",
	"rewrites the table",
	"unknown",
];

export interface RelationLock {
	mode: LockMode;
	/** The relation's name, quoted only where it must be; or words for one that the statement does not name. */
	relation: string;
}

/** What a statement locks and does, as far as PostgreSQL's parser tells. */
export interface StatementEffect {
	/** Of relations that are there before the statement, the strongest mode of each. */
	locks: RelationLock[];
	work: Work;
	/** Relations that the statement makes, which were not there before: nobody waits for their locks. */
	makes: string[];
	/** What a reader has to know besides. */
	notes: string[];
}

export function effect(
	work: Work,
	locks: readonly RelationLock[],
	more: Partial<Pick<StatementEffect, "makes" | "notes">> = {},
): StatementEffect {
	return { locks: strongestOfEach(locks), work, makes: more.makes ?? [], notes: more.notes ?? [] };
}

/** What several parts of one statement lock and do together. */
export function together(parts: readonly StatementEffect[]): StatementEffect {
	const longest = Math.max(0, ...parts.map(({ work }) => WORK.indexOf(work)));
	return effect(
		WORK[longest]!,
		parts.flatMap(({ locks }) => locks),
		{
			makes: [...new Set(parts.flatMap(({ makes }) => makes))],
			notes: [...new Set(parts.flatMap(({ notes }) => notes))],
		},
	);
}

/** The tables that are made of a composite type. */
export function typedTables(type: string): RelationLock {
	return { relation: `every table of type ${type}`, mode: "ACCESS EXCLUSIVE" };
}

/** The name that a statement makes for certain: none where it may have been there, or be somebody else's by that name. */
export function madeNames(relation: RangeVar | undefined, ifNotExists: boolean | undefined): string[] {
	if (ifNotExists) return [];
	const isTemporary = relation?.relpersistence === "t" && relation.schemaname === undefined;
	return [isTemporary ? nameText(["pg_temp", relation.relname ?? ""]) : relationText(relation)];
}

function strongestOfEach(locks: readonly RelationLock[]): RelationLock[] {
	const modes = new Map<string, LockMode[]>();
	for (const { relation, mode } of locks) modes.set(relation, [...(modes.get(relation) ?? []), mode]);
	return [...modes].map(([relation, held]) => ({ relation, mode: strongestMode(held)! }));
}

/** A relation's name as it is told to people: quoted, and with its schema, only where it must be. */
export function relationText(relation: RangeVar | undefined): string {
	return nameText([relation?.schemaname, relation?.relname].filter((part) => part !== undefined));
}

/** The same of a name in parts; schema `public` goes without saying. */
export function nameText(parts: readonly string[]): string {
	const shown = parts.length > 1 && parts[0] === "public" ? parts.slice(1) : parts;
	return shown.map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : escapeIdentifier(part))).join(".");
}
