import * as pulumi from "@pulumi/pulumi";
import { type AlarmArgs, type AlarmRule, declareAlarm } from "./alarm";

export interface ServerAlarmsArgs extends AlarmArgs {
	/** The server, as its metrics name it. */
	identifier: pulumi.Input<string>;
	/** Gigabytes of its disk. */
	storageGigabytes: number;
	/** Connections that it takes. */
	maxConnections: number;
	/** Percent of them from which on it is an alarm. */
	connectionsPercent: number;
}

const GIGABYTE = 1024 ** 3;
/** Share of the disk that must be free. */
const FREE_STORAGE = 0.15;
/** Share of the disk that changes may take which the other colour has not fetched. */
const WAITING_CHANGES = 0.1;
const BUSY_PERCENT = 85;

/** Alarms of a database server: its load, its disk, and changes that the other colour does not fetch. */
export class ServerAlarms extends pulumi.ComponentResource {
	constructor(name: string, args: ServerAlarmsArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:monitoring:ServerAlarms", name, {}, opts);
		for (const [what, rule] of Object.entries(serverRules(args))) {
			declareAlarm(`${name}-${what}`, rule, args, this);
		}
		this.registerOutputs({});
	}
}

function serverRules(args: ServerAlarmsArgs): Record<string, AlarmRule> {
	const { identifier, storageGigabytes, maxConnections, connectionsPercent } = args;
	const of = {
		namespace: "AWS/RDS",
		dimensions: { DBInstanceIdentifier: identifier },
		statistic: "Average",
		minutes: 5,
	} as const;
	const above = { ...of, comparison: "above" } as const;
	return {
		cpu: {
			...above,
			description: "The database server is busy: Performance Insights shows with what",
			metricName: "CPUUtilization",
			threshold: BUSY_PERCENT,
		},
		connections: {
			...above,
			description: "Few connections are left: look at pg_stat_activity for who holds them",
			metricName: "DatabaseConnections",
			threshold: Math.floor((maxConnections * connectionsPercent) / 100),
		},
		"free-storage": {
			...of,
			description: "The database server's disk fills: look for forsaken replication slots first",
			metricName: "FreeStorageSpace",
			comparison: "below",
			threshold: Math.floor(storageGigabytes * GIGABYTE * FREE_STORAGE),
		},
		"replication-lag": {
			...above,
			description: "The other colour is behind: npm run status shows its replication",
			metricName: "OldestReplicationSlotLag",
			threshold: Math.floor(storageGigabytes * GIGABYTE * WAITING_CHANGES),
		},
		"slot-storage": {
			...above,
			description: "Changes wait on disk for a colour that does not fetch them: npm run status shows which",
			metricName: "ReplicationSlotDiskUsage",
			threshold: Math.floor(storageGigabytes * GIGABYTE * WAITING_CHANGES),
		},
	};
}
