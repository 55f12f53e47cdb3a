import { isSet, oneOf, type ResourceRule } from "../rule";

/** What instances and clusters have in common, as far as rules are about it. */
interface DatabaseProps {
	storageEncrypted: boolean;
	kmsKeyId: string;
	deletionProtection: boolean;
	skipFinalSnapshot: boolean;
	finalSnapshotIdentifier: string;
	/** Days. */
	backupRetentionPeriod: number;
}

const INSTANCE = "aws:rds/instance:Instance";
const CLUSTER = "aws:rds/cluster:Cluster";
const CLUSTER_INSTANCE = "aws:rds/clusterInstance:ClusterInstance";
const PARAMETER_GROUP = "aws:rds/parameterGroup:ParameterGroup";
const CLUSTER_PARAMETER_GROUP = "aws:rds/clusterParameterGroup:ClusterParameterGroup";

/** A mistake that is found on a Monday after a holiday has to be in a backup still. */
const BACKUP_DAYS = 7;

export const databaseIsEncrypted: ResourceRule<DatabaseProps> = {
	name: "aws-database-encrypted",
	description: "A database's storage is encrypted, with a key of its owner's.",
	isAbout: oneOf(INSTANCE, CLUSTER),
	faults({ props }) {
		return [
			...(props.storageEncrypted === true ? [] : ["storage is not encrypted: set storageEncrypted to true"]),
			...(isSet(props, "kmsKeyId") ? [] : ["storage has no key of its own: set kmsKeyId to a KMS key's ARN"]),
		];
	},
};

export const databaseIsPrivate: ResourceRule<{ publiclyAccessible: boolean }> = {
	name: "aws-database-private",
	description: "A database has no public address.",
	isAbout: oneOf(INSTANCE, CLUSTER_INSTANCE),
	faults({ props }) {
		return props.publiclyAccessible === true
			? ["the database has a public address: set publiclyAccessible to false"]
			: [];
	},
};

export const databaseIsProtected: ResourceRule<DatabaseProps> = {
	name: "aws-database-protected",
	description:
		"A production database is protected from deletion, leaves a final snapshot, and has a week of backups.",
	isAbout: oneOf(INSTANCE, CLUSTER),
	faults({ props }, { environment }) {
		if (environment !== "production") {
			return [];
		}
		const days = props.backupRetentionPeriod ?? 0;
		return [
			...(props.deletionProtection === true
				? []
				: ["nothing keeps the database from being deleted: set deletionProtection to true"]),
			...(props.skipFinalSnapshot !== true && isSet(props, "finalSnapshotIdentifier")
				? []
				: [
						"a deletion leaves no snapshot: set skipFinalSnapshot to false and finalSnapshotIdentifier to a name",
					]),
			...(days >= BACKUP_DAYS
				? []
				: [`backupRetentionPeriod is ${days}: set it to at least ${BACKUP_DAYS} days`]),
		];
	},
};

interface TlsProps {
	/** Of an instance or a cluster, such as `postgres`. */
	engine: string;
	/** Of a parameter group, such as `postgres18`. */
	family: string;
	parameters: { name: string; value: string }[];
}

export const databaseForcesTls: ResourceRule<TlsProps> = {
	name: "aws-database-forces-tls",
	description:
		"A PostgreSQL server on RDS refuses connections without TLS, by a parameter group of the stack.",
	isAbout: oneOf(INSTANCE, CLUSTER, PARAMETER_GROUP, CLUSTER_PARAMETER_GROUP),
	faults({ type, props }) {
		switch (type) {
			case INSTANCE:
				return parameterGroupFaults(props, "parameterGroupName");
			case CLUSTER:
				return parameterGroupFaults(props, "dbClusterParameterGroupName");
			default: {
				const forced = (props.parameters ?? []).some(
					({ name, value }) => name === "rds.force_ssl" && value === "1",
				);
				return !isPostgres(props.family) || forced
					? []
					: ["connections without TLS are let in: set the parameter rds.force_ssl to 1"];
			}
		}
	},
};

function parameterGroupFaults(props: Partial<TlsProps>, key: string): string[] {
	// An instance of a cluster and a replica have what their cluster or source has.
	if (!isPostgres(props.engine) || isSet(props, key)) {
		return [];
	}
	return [`the server has the default parameters: set ${key} to a group with rds.force_ssl 1`];
}

function isPostgres(engineOrFamily = ""): boolean {
	return /^(aurora-)?postgres/.test(engineOrFamily);
}
