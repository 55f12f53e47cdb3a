import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientBase } from "pg";

const SCHEMA_DIRECTORY = join(__dirname, "schema");
/** Serializes upgrades of one catalog; any constant that nothing else in that database uses. */
const UPGRADE_LOCK = 7_215_930_148;

interface SchemaVersion {
	version: number;
	name: string;
	sql: string;
}

/** Which versions an upgrade of the catalog went through; equal when nothing was to be done. */
export interface CatalogUpgrade {
	from: number;
	to: number;
}

/**
 * Brings the catalog's own schema to the version this code knows, one transaction per version. Only one of several
 * upgrades at once does the work; the others wait as long as the connection's statement timeout lets them.
 *
 * @throws Error when the catalog is newer than this code.
 */
export async function upgradeCatalog(client: ClientBase): Promise<CatalogUpgrade> {
	const known = schemaVersions();
	const newest = newestCatalogVersion();
	const from = await currentVersion(client);
	refuseNewer(from, newest);
	for (const step of known.filter((candidate) => candidate.version > from))
		await applyStep(client, step, newest);
	return { from, to: newest };
}

/** The version of the catalog's schema that this code knows and needs. */
export function newestCatalogVersion(): number {
	return schemaVersions().at(-1)?.version ?? 0;
}

async function applyStep(client: ClientBase, step: SchemaVersion, newest: number): Promise<void> {
	await client.query("BEGIN");
	try {
		await client.query("SET LOCAL search_path = public");
		await client.query("SELECT pg_advisory_xact_lock($1)", [UPGRADE_LOCK]);
		await client.query(`CREATE TABLE IF NOT EXISTS catalog_versions (
			version integer PRIMARY KEY,
			name text NOT NULL,
			applied_at timestamptz NOT NULL DEFAULT now()
		)`);
		// Another upgrade may have come first while this one waited for the lock.
		const current = await currentVersion(client);
		refuseNewer(current, newest);
		if (current < step.version) {
			await client.query(step.sql);
			await client.query("INSERT INTO catalog_versions (version, name) VALUES ($1, $2)", [
				step.version,
				step.name,
			]);
		}
		await client.query("COMMIT");
	} catch (error) {
		await client.query("ROLLBACK");
		throw error;
	}
}

async function currentVersion(client: ClientBase): Promise<number> {
	const table = await client.query("SELECT to_regclass('public.catalog_versions') IS NOT NULL AS present");
	if (!table.rows[0].present) return 0;
	const { rows } = await client.query(
		"SELECT coalesce(max(version), 0) AS version FROM public.catalog_versions",
	);
	return rows[0].version;
}

function refuseNewer(found: number, newest: number): void {
	if (found <= newest) return;
	throw new Error(
		`the catalog has schema version ${found}, this code knows versions up to ${newest}: ` +
			"deploy with the version of this project that upgraded the catalog, or a newer one",
	);
}

function schemaVersions(): SchemaVersion[] {
	return readdirSync(SCHEMA_DIRECTORY)
		.sort()
		.flatMap((file) => {
			const match = /^(\d{3})_(\w+)\.sql$/.exec(file);
			if (!match?.[1] || !match[2]) return [];
			const sql = readFileSync(join(SCHEMA_DIRECTORY, file), "utf8");
			return [{ version: Number(match[1]), name: match[2], sql }];
		});
}
