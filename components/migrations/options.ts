import type { Connection } from "../database/connection";
import type { AppliedMigration, Migration } from "./migration";
import type { Plan } from "./plan";
import type { StoredSections } from "./records";

export interface MigrationSettings {
	/** How long one statement may wait for a lock before it gives way to the service, in milliseconds. */
	lockTimeoutMs: number;
	/** How often a migration that could not have its lock is tried again. */
	lockRetries: number;
	/** How long one statement may run, in milliseconds. */
	statementTimeoutMs: number;
	/** How long to wait for another run on the same database, in milliseconds. */
	advisoryLockTimeoutMs: number;
	/** Whether a migration older than the newest applied one may be applied. */
	allowOutOfOrder: boolean;
}

/** What every run on a database needs. */
export interface RunOptions {
	/** The database to migrate, as its owner. */
	target: Connection;
	/** The environment's catalog, as its owner; already upgraded. */
	catalog: Connection;
	/** What the catalog calls the target database. */
	targetName: string;
	/** The row in deployment_pipelines on whose behalf this runs. */
	deploymentId: number;
	/** What an automatic rollback goes from and back to; what is left out is told by the versions of the migrations. */
	releases?: { previous: string; target?: string };
	settings: MigrationSettings;
	/** Where rows are saved before an undo destroys them; made with mode 700 when needed. */
	backupDirectory: string;
	/** Told what happens while it happens, one line at a time. */
	log(line: string): void;
}

export interface MigrateOptions extends RunOptions {
	/** The migrations that shall be applied, no more and no fewer. */
	wanted: Migration[];
	/** Who is told to have applied them. */
	appliedBy: string;
}

export interface UndoOptions extends RunOptions {
	/** Recorded in deployment_rollbacks. */
	reason: string;
	type: "automatic" | "manual" | "health_check_failure";
}

export interface StatusOptions {
	target: Connection;
	wanted: Migration[];
	allowOutOfOrder: boolean;
}

/** A file with rows that an undo destroyed. */
export interface Backup {
	version: string;
	/** `schema.table`. */
	table: string;
	file: string;
	rows: number;
}

export interface MigrationReport {
	/** Versions, in the order in which they were applied. */
	applied: string[];
	/** Versions, in the order in which they were undone. */
	undone: string[];
	backups: Backup[];
	durationMs: number;
}

export interface MigrationStatus {
	/** In the order of their versions. */
	applied: AppliedMigration[];
	plan: Plan;
	/** The stored SQL of what the plan undoes, by version. */
	stored: Map<string, StoredSections>;
}
