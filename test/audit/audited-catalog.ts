import { type Client, escapeIdentifier } from "pg";
import { auditCatalog } from "../../components/audit/verify";
import { grantDeploying } from "../../components/catalog/deploying-role";
import { closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { announceMigrations, writeSteps } from "../../components/catalog/migrations";
import { finishRollback, startRollback } from "../../components/catalog/rollbacks";
import { completeStage, startStage } from "../../components/catalog/stages";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { type Connection, connect } from "../../components/database/connection";
import { type TestDatabase, testDatabase } from "../support/postgres";

export const SESSION = { applicationName: "audit-test" };
export const RELEASE = {
	pipelineName: "counting",
	release: "1.3.0",
	environment: "production",
	triggeredBy: "ada",
	gitCommit: "0a1b2c",
	config: { releaseWithoutStaging: "1.3.0" },
} as const;

/** A catalog with its owner, the role that deployments write as, and a superuser who may do anything to it. */
export class AuditedCatalog {
	private constructor(
		private readonly database: TestDatabase,
		readonly role: string,
		readonly owner: Client,
		readonly superuser: Client,
		readonly deploying: Client,
	) {}

	static async open(): Promise<AuditedCatalog> {
		const database = await testDatabase();
		const owner = await connect(database.owner, SESSION);
		const superuser = await connect(database.superuser, SESSION);
		await upgradeCatalog(owner);
		const role = `${database.owner.database}_deploy`;
		await superuser.query(
			`CREATE ROLE ${escapeIdentifier(role)} LOGIN PASSWORD '${database.owner.password}'`,
		);
		await grantDeploying(owner, role);
		const deploying = await connect({ ...database.owner, user: role }, SESSION);
		return new AuditedCatalog(database, role, owner, superuser, deploying);
	}

	/** As another role, which has the same password. */
	connectionOf(user: string): Connection {
		return { ...this.database.owner, user };
	}

	async close(): Promise<void> {
		const role = escapeIdentifier(this.role);
		await Promise.all([this.owner.end(), this.deploying.end()]);
		await this.superuser.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
		await this.superuser.end();
		await this.database.drop();
	}

	/** A release that went live and one that was rolled back, by the product's own functions. */
	async twoReleases(): Promise<void> {
		const stages = [{ name: "Tests", type: "test", config: {} }] as const;
		const first = await openDeployment(this.deploying, RELEASE, stages);
		await startStage(this.deploying, first, stages[0]);
		await completeStage(this.deploying, first, "Tests", "fine");
		await closeDeployment(this.deploying, first, { status: "completed" });
		const second = await openDeployment(this.deploying, { ...RELEASE, release: "1.4.0" });
		const rollback = await startRollback(this.deploying, {
			deploymentId: second,
			type: "automatic",
			reason: "too slow",
		});
		await finishRollback(this.deploying, rollback, { steps: [] });
		await closeDeployment(this.deploying, second, { status: "rolled_back", error: "too slow" });
	}

	/** A migration that is applied. */
	async applied(): Promise<void> {
		const { deploymentId, ids } = await this.announced("SELECT 1");
		const at = new Date();
		await writeSteps(
			this.deploying,
			[...ids.values()].map((migrationId) => ({
				...{ deploymentId, migrationId, step: "apply 1.4.0 add_zones", stepStatus: "completed" as const, at },
				migration: { status: "completed" as const, isApplied: true, appliedAt: at, appliedBy: "ada" },
			})),
		);
		await closeDeployment(this.deploying, deploymentId, { status: "completed" });
	}

	async announced(sql: string): Promise<{ deploymentId: number; ids: Map<string, number> }> {
		const deploymentId = await openDeployment(this.deploying, RELEASE);
		const migration = { version: "1.4.0", name: "add_zones", type: "schema", dependsOn: [] };
		const ids = await announceMigrations(this.deploying, "counting_blue_1", [
			{ ...migration, sql, rollbackSql: null, checksum: "0".repeat(64) },
		]);
		return { deploymentId, ids };
	}

	/** What nobody can do but a superuser who means to. */
	async tamper(sql: string): Promise<void> {
		await this.superuser.query(`BEGIN; SET LOCAL session_replication_role = replica; ${sql}; COMMIT`);
	}

	/** What an audit finds, with a hash that was kept elsewhere or without. */
	async faults(head?: string): Promise<string[]> {
		return (await auditCatalog(this.owner, head === undefined ? {} : { head })).faults;
	}
}
