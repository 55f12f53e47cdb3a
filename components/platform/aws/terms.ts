/** What nobody has asked to set, with what it rests on. */

/**
 * Days that RDS keeps backups, from which any second can be restored up to some five minutes ago. It takes one snapshot
 * a day and keeps the log in between, which is more than an hourly backup.
 */
export const backupDays = { hourly: 35, daily: 14, weekly: 7 } as const;

/** The catalog and the queue: a few rows for each deployment, and batches that wait for minutes. */
export const CATALOG_STORAGE = { storageGigabytes: 20, maxStorageGigabytes: 100 };

/** Connections beside those of the queue and of deployments. */
export const CATALOG_CONNECTIONS = 20;

/** Days in which a deleted secret of a production stack can be taken back; its name is taken for so long. */
export const SECRET_RECOVERY_DAYS = 7;

/** Failed requests a minute from which on it is an alarm: single ones are retried by clients. */
export const FAILURES_PER_MINUTE = 10;
