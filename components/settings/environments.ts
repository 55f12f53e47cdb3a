import { KEPT_WAL_GIGABYTES } from "../database/server-settings";
import { shippedStages } from "./shipped-stages";

/** What every stack gets for each key that its stack file leaves out and that its platform says nothing of. */
export const everywhere = {
	serverPerColor: false,
	keptWalGigabytes: KEPT_WAL_GIGABYTES,
	readyTimeoutSeconds: 30,
} as const;

/** What an environment gets for each key that its stack file leaves out. */
export const environmentDefaults = {
	development: {
		poolSize: 5,
		maxConnections: 20,
		backupSchedule: "daily",
		monitoring: false,
		alerting: false,
		logLevel: "debug",
		debugMode: true,
		sslMode: "disable",
		bakeSeconds: 5,
		slowConnectionMilliseconds: 1000,
		slowRequestMilliseconds: 2000,
		slowStatementMilliseconds: 1000,
		slowStatementFailMilliseconds: 10_000,
		lagWarningSeconds: 30,
		lagFailSeconds: 600,
		promoteFrom: "none",
		protectDatabases: false,
		stages: shippedStages("database", "integration", "cache", "queue"),
	},
	staging: {
		poolSize: 10,
		maxConnections: 50,
		backupSchedule: "daily",
		monitoring: true,
		alerting: true,
		logLevel: "info",
		debugMode: false,
		sslMode: "disable",
		bakeSeconds: 30,
		slowConnectionMilliseconds: 500,
		slowRequestMilliseconds: 1000,
		slowStatementMilliseconds: 1000,
		slowStatementFailMilliseconds: 5000,
		lagWarningSeconds: 10,
		lagFailSeconds: 300,
		promoteFrom: "none",
		protectDatabases: false,
		stages: shippedStages("database", "integration", "cache", "queue", "load", "security", "compliance"),
	},
	production: {
		poolSize: 20,
		maxConnections: 200,
		backupSchedule: "hourly",
		monitoring: true,
		alerting: true,
		logLevel: "warn",
		debugMode: false,
		sslMode: "require",
		bakeSeconds: 60,
		slowConnectionMilliseconds: 500,
		slowRequestMilliseconds: 1000,
		slowStatementMilliseconds: 500,
		slowStatementFailMilliseconds: 5000,
		lagWarningSeconds: 5,
		lagFailSeconds: 120,
		promoteFrom: "staging",
		protectDatabases: true,
		stages: shippedStages("integration", "cache", "queue", "compliance"),
	},
} as const;

export type EnvironmentName = keyof typeof environmentDefaults;

export const environmentNames = Object.keys(environmentDefaults) as [EnvironmentName, ...EnvironmentName[]];
