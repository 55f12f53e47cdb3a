import type { Client } from "pg";
import { mirrorEnvironment } from "../../components/catalog/environments";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { connect } from "../../components/database/connection";
import { type TestDatabase, testDatabase } from "../support/postgres";

/** A catalog of its own, and a connection to it as its owner. */
export class TestCatalog {
	private constructor(
		readonly database: TestDatabase,
		readonly client: Client,
	) {}

	static async make(): Promise<TestCatalog> {
		const database = await testDatabase();
		const client = await connect(database.owner, { applicationName: "test" });
		await upgradeCatalog(client);
		return new TestCatalog(database, client);
	}

	async drop(): Promise<void> {
		await this.client.end();
		await this.database.drop();
	}

	/** Mirrors the settings of an environment of this strategy. */
	async mirror(strategy: string, alerting = false): Promise<void> {
		await mirrorEnvironment(this.client, {
			name: "local",
			type: "staging",
			databaseHost: "127.0.0.1",
			databasePort: 5432,
			databaseName: "counting_local",
			databaseUser: "counting_local",
			poolSize: 10,
			maxConnections: 50,
			backupSchedule: "daily",
			monitoring: true,
			alerting,
			config: { strategy, platform: "local" },
		});
	}

	/**
	 * Adds a deployment; times are SQL.
	 *
	 * @returns its id
	 */
	async deployment(given: {
		status: string;
		environment?: string;
		created?: string;
		/** An interval. */
		took?: string;
	}): Promise<number> {
		const { status, environment = "staging", created = "now()", took } = given;
		const { rows } = await this.client.query(
			`INSERT INTO deployment_pipelines (pipeline_name, pipeline_version, environment, status, created_at, started_at,
				completed_at, triggered_by, git_commit_hash, git_branch)
			SELECT 'counting', '1.3.0', $1, $2, ${created}, CASE WHEN $2 <> 'pending' THEN ${created} END,
				CASE WHEN $2 NOT IN ('pending', 'running') THEN ${created} + $3::interval END, 'ana', 'abc', 'main'
			RETURNING id`,
			[environment, status, took ?? "0"],
		);
		return Number(rows[0].id);
	}

	/** Adds a rollback that began at a time given in SQL. */
	async rollback(deploymentId: number, reason: string, started: string): Promise<void> {
		await this.client.query(
			`INSERT INTO deployment_rollbacks (pipeline_id, rollback_reason, rollback_type, started_at)
			VALUES ($1, $2, 'automatic', ${started})`,
			[deploymentId, reason],
		);
	}
}
