import type { ClientBase } from "pg";
import { newestCatalogVersion } from "../catalog/upgrade";
import { type AuditRow, auditRowSchema } from "./audit-row";
import { type Chain, ChainWalk } from "./chain";
import { AUDITED, missingGuards } from "./guarded";

export interface AuditOptions {
	/** A hash that was kept elsewhere. */
	head?: string;
}

/** What an audit has found. Whole when there is no fault. */
export interface Audit extends Omit<Chain, "fault"> {
	/** Where the log is broken, what would keep it is not there, and where tables say something else than it does. */
	faults: string[];
}

/** Rows that are asked for at a time. */
const PAGE = 5000;

/**
 * Verifies a catalog's audit log: every row's hash, their order, that the tables which it is about are as their last
 * rows in it say, and that what makes it is in place. Reads only, of one moment.
 *
 * @throws Error when the catalog's schema is not the one that this program makes
 */
export async function auditCatalog(client: ClientBase, { head }: AuditOptions = {}): Promise<Audit> {
	await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
	try {
		await refuseOtherVersion(client);
		// Times in rows are written as text.
		await client.query("SET LOCAL timezone = 'UTC'");
		const { fault, ...chain } = await walk(client, new ChainWalk(head));
		const broken = fault === undefined ? [] : [fault];
		return {
			...chain,
			faults: [...broken, ...(await missingGuards(client)), ...(await disagreements(client))],
		};
	} finally {
		await client.query("ROLLBACK");
	}
}

/** What an update is yet to make would be told as taken away. */
async function refuseOtherVersion(client: ClientBase): Promise<void> {
	const { rows } = await client.query<{ version: number }>(
		"SELECT max(version) AS version FROM public.catalog_versions",
	);
	const [found, newest] = [rows[0]?.version, newestCatalogVersion()];
	if (found !== newest) {
		throw new Error(
			`the catalog has schema version ${found}, and version ${newest} is what is audited: run an update first`,
		);
	}
}

async function walk(client: ClientBase, chain: ChainWalk): Promise<Chain> {
	// Below all that a row could have.
	let after: number | string = "-9223372036854775808";
	for (;;) {
		const { rows }: { rows: unknown[] } = await client.query(
			`SELECT id, to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "recordedAt", recorded_by AS "recordedBy",
				kind, event::text, previous_hash AS "previousHash", hash
			FROM audit_log WHERE id > $1 ORDER BY id LIMIT $2`,
			[after, PAGE],
		);
		const page: AuditRow[] = auditRowSchema.array().parse(rows);
		for (const row of page) {
			if (!chain.follow(row)) {
				return chain.end();
			}
			after = row.id;
		}
		if (rows.length < PAGE) {
			return chain.end();
		}
	}
}

/** Rows of the audited tables that are not as the log has them last. Columns that came later are passed over. */
async function disagreements(client: ClientBase): Promise<string[]> {
	const found: string[] = [];
	for (const [name, hashed] of Object.entries(AUDITED)) {
		const { rows } = await client.query<{ id: string; fault: string }>(
			`WITH told AS (
				SELECT DISTINCT ON (event -> 'row' ->> 'id') event -> 'row' ->> 'id' AS id, event ->> 'op' AS op,
					event -> 'row' AS content
				FROM audit_log WHERE kind = $1 ORDER BY event -> 'row' ->> 'id', audit_log.id DESC
			), current AS (
				SELECT id::text, to_jsonb(own) || coalesce(
					(SELECT jsonb_object_agg(long || '_sha256', encode(sha256(convert_to(to_jsonb(own) ->> long, 'UTF8')), 'hex'))
					FROM unnest($2::text[]) AS long), '{}') AS content
				FROM public.${client.escapeIdentifier(name)} AS own
			)
			SELECT coalesce(told.id, current.id) AS id,
				CASE WHEN told.id IS NULL THEN 'is not in the audit log'
					WHEN current.id IS NULL THEN 'is gone, and the audit log does not say so'
					WHEN told.op = 'delete' THEN 'is there, and the audit log says that it was deleted'
					ELSE 'is not as the audit log has it' END AS fault
			FROM told FULL JOIN current USING (id)
			WHERE told.id IS NULL OR (current.id IS NULL AND told.op <> 'delete')
				OR (current.id IS NOT NULL AND told.op = 'delete')
				OR (current.id IS NOT NULL AND told.content <>
					(SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(current.content) WHERE told.content ? key))
			ORDER BY 1`,
			[name, hashed],
		);
		found.push(...rows.map(({ id, fault }) => `${name}: row ${id} ${fault}`));
	}
	return found;
}
