import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "pg";
import { openDeployment } from "../../components/catalog/deployments";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { withClient } from "../../components/database/connection";
import { loadMigrations } from "../../components/migrations/files";
import type { Migration } from "../../components/migrations/migration";
import type { MigrateOptions, MigrationSettings } from "../../components/migrations/options";
import { type TestDatabase, testDatabase } from "../support/postgres";

export const TARGET = "counting";

export const settings: MigrationSettings = {
	lockTimeoutMs: 500,
	lockRetries: 3,
	statementTimeoutMs: 20_000,
	advisoryLockTimeoutMs: 10_000,
	allowOutOfOrder: false,
};

/** A directory of migration files, a target database and a catalog with one open deployment. */
export interface Bench {
	directory: string;
	backupDirectory: string;
	target: TestDatabase;
	catalog: TestDatabase;
	deploymentId: number;
	/** What the run said. */
	lines: string[];
	/** Writes a migration file and returns the whole directory, loaded. */
	write(fileName: string, text: string): Migration[];
	options(wanted: Migration[], changed?: Partial<MigrationSettings>): MigrateOptions;
	inTarget<T = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<T[]>;
	inCatalog<T = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<T[]>;
	withTarget<T>(work: (client: Client) => Promise<T>): Promise<T>;
	nextDeployment(): Promise<number>;
	close(): Promise<void>;
}

const SESSION = { applicationName: "migration-test", statementTimeoutMs: 20_000 };

export async function openBench(): Promise<Bench> {
	const [target, catalog] = await Promise.all([testDatabase(), testDatabase()]);
	const directory = mkdtempSync(join(tmpdir(), "migrations-"));
	const bench: Bench = {
		directory,
		backupDirectory: join(directory, "backups"),
		target,
		catalog,
		deploymentId: 0,
		lines: [],
		write(fileName, text) {
			writeFileSync(join(directory, fileName), text);
			return loadMigrations(directory);
		},
		options(wanted, changed = {}) {
			return {
				target: target.owner,
				catalog: catalog.owner,
				targetName: TARGET,
				wanted,
				deploymentId: bench.deploymentId,
				appliedBy: "tester",
				settings: { ...settings, ...changed },
				backupDirectory: bench.backupDirectory,
				log: (line) => void bench.lines.push(line),
			};
		},
		inTarget: (sql, values) =>
			withClient(target.owner, SESSION, async (client) => (await client.query(sql, values)).rows),
		inCatalog: (sql, values) =>
			withClient(catalog.owner, SESSION, async (client) => (await client.query(sql, values)).rows),
		withTarget: (work) => withClient(target.owner, SESSION, work),
		async nextDeployment() {
			bench.deploymentId = await withClient(catalog.owner, SESSION, (client) =>
				openDeployment(client, {
					pipelineName: "test",
					release: "1.0.0",
					environment: "development",
					triggeredBy: "tester",
					config: {},
				}),
			);
			return bench.deploymentId;
		},
		async close() {
			await Promise.all([target.drop(), catalog.drop()]);
			rmSync(directory, { recursive: true, force: true });
		},
	};
	await withClient(catalog.owner, SESSION, upgradeCatalog);
	await bench.nextDeployment();
	return bench;
}

/** The text of a migration file with plain SQL in both sections. */
export function file(
	up: string,
	down: string | undefined,
	{ type = "schema", depends = "", transaction = true } = {},
): string {
	const mark = transaction ? "" : " transaction:false";
	return [
		`-- type: ${type}`,
		...(depends ? [`-- depends: ${depends}`] : []),
		...(down === undefined ? ["-- irreversible: a test wants it so"] : []),
		`-- migrate:up${mark}`,
		up,
		...(down === undefined ? [] : [`-- migrate:down${mark}`, down]),
		"",
	].join("\n");
}

/** What the catalog says of the target's migrations, by version. */
export async function catalogStates(bench: Bench): Promise<Record<string, string>> {
	const rows = await bench.inCatalog<{ version: string; status: string }>(
		`SELECT migration_version AS version, status || CASE WHEN is_applied THEN ' applied' ELSE '' END AS status
		FROM deployment_migrations WHERE target_database = $1`,
		[TARGET],
	);
	return Object.fromEntries(rows.map(({ version, status }) => [version, status]));
}

/** The steps that the catalog has written down of a migration, in their order. */
export async function catalogSteps(bench: Bench, version: string): Promise<string[]> {
	const rows = await bench.inCatalog<{ step: string }>(
		`SELECT execution_step AS step FROM deployment_execution_logs AS log
		JOIN deployment_migrations AS migration ON migration.id = log.migration_id
		WHERE migration_version = $1 ORDER BY log.id`,
		[version],
	);
	return rows.map(({ step }) => step);
}

/** The versions that the target has as applied, in the order of application. */
export async function appliedVersions(bench: Bench): Promise<string[]> {
	const rows = await bench.inTarget<{ version: string }>(
		"SELECT version FROM deployment.schema_migrations WHERE state = 'applied' ORDER BY sequence",
	);
	return rows.map(({ version }) => version);
}
