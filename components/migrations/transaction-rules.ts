import type { Node } from "libpg-query";

/** The name of a statement that PostgreSQL refuses inside a transaction; undefined for all others. */
export function notInTransaction(node: Node): string | undefined {
	if ("IndexStmt" in node) return node.IndexStmt.concurrent ? "CREATE INDEX CONCURRENTLY" : undefined;
	if ("DropStmt" in node) return node.DropStmt.concurrent ? "DROP INDEX CONCURRENTLY" : undefined;
	if ("ReindexStmt" in node) {
		if (hasOption(node.ReindexStmt.params, "concurrently")) return "REINDEX CONCURRENTLY";
		const wide = ["REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE"];
		return wide.includes(node.ReindexStmt.kind ?? "") ? "REINDEX of a whole schema or database" : undefined;
	}
	if ("VacuumStmt" in node) return node.VacuumStmt.is_vacuumcmd ? "VACUUM" : undefined;
	if ("ClusterStmt" in node) return node.ClusterStmt.relation ? undefined : "CLUSTER of all tables";
	if ("AlterSystemStmt" in node) return "ALTER SYSTEM";
	if ("CreatedbStmt" in node) return "CREATE DATABASE";
	if ("DropdbStmt" in node) return "DROP DATABASE";
	if ("AlterDatabaseStmt" in node) {
		return hasOption(node.AlterDatabaseStmt.options, "tablespace")
			? "ALTER DATABASE SET TABLESPACE"
			: undefined;
	}
	if ("CreateTableSpaceStmt" in node) return "CREATE TABLESPACE";
	if ("DropTableSpaceStmt" in node) return "DROP TABLESPACE";
	if ("CreateSubscriptionStmt" in node) return "CREATE SUBSCRIPTION";
	if ("DropSubscriptionStmt" in node) return "DROP SUBSCRIPTION";
	if ("AlterTableStmt" in node) {
		const detaches = node.AlterTableStmt.cmds?.some(
			(command) =>
				"AlterTableCmd" in command &&
				command.AlterTableCmd.def &&
				"PartitionCmd" in command.AlterTableCmd.def &&
				command.AlterTableCmd.def.PartitionCmd.concurrent,
		);
		return detaches ? "DETACH PARTITION CONCURRENTLY" : undefined;
	}
	return undefined;
}

/** Whether a statement may commit by itself, so that it can neither stand in a transaction nor be counted in one. */
export function mayCommit(node: Node): boolean {
	if ("CallStmt" in node) return true;
	if (!("DoStmt" in node)) return false;
	return (node.DoStmt.args ?? []).some(
		(argument) =>
			"DefElem" in argument &&
			argument.DefElem.defname === "as" &&
			argument.DefElem.arg !== undefined &&
			"String" in argument.DefElem.arg &&
			/\b(commit|rollback)\b/i.test(argument.DefElem.arg.String.sval ?? ""),
	);
}

/**
 * Whether a statement waits long by design while it blocks neither reads nor writes. Its wait is bounded by the
 * statement timeout; a lock timeout would break an index build off for the sake of nobody.
 */
export function waitsHarmlessly(node: Node): boolean {
	const name = notInTransaction(node);
	if (name === "VACUUM") return "VacuumStmt" in node && !hasOption(node.VacuumStmt.options, "full");
	return (
		name === "CREATE INDEX CONCURRENTLY" ||
		name === "DROP INDEX CONCURRENTLY" ||
		name === "REINDEX CONCURRENTLY"
	);
}

/** Whether an option stands in a statement's list of options. */
export function hasOption(options: Node[] | undefined, name: string): boolean {
	return (options ?? []).some((option) => "DefElem" in option && option.DefElem.defname === name);
}
