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
	},
} as const;

export type EnvironmentName = keyof typeof environmentDefaults;

export const environmentNames = Object.keys(environmentDefaults) as [EnvironmentName, ...EnvironmentName[]];
