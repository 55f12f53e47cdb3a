import { hash } from "node:crypto";
import type { AppliedMigration, Migration } from "./migration";

/** One short text that stands for a set of migrations that are applied completely, in whatever order. */
export function digestOf(migrations: readonly Pick<Migration, "version" | "name" | "checksum">[]): string {
	const lines = migrations.map(({ version, name, checksum }) => `${version} ${name} ${checksum}\n`);
	return hash("sha256", lines.sort().join(""), "hex");
}

/** The digest of a target's records; undefined while one of them stands between two states. */
export function digestOfRecords(records: readonly AppliedMigration[]): string | undefined {
	return records.every((record) => record.state === "applied") ? digestOf(records) : undefined;
}
