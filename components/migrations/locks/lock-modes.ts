/**
 * PostgreSQL's table-level lock modes, the weakest first.
 *
 * @see https://www.postgresql.org/docs/18/explicit-locking.html#LOCKING-TABLES
 */
export const LOCK_MODES = [
	"ACCESS SHARE",
	"ROW SHARE",
	"ROW EXCLUSIVE",
	"SHARE UPDATE EXCLUSIVE",
	"SHARE",
	"SHARE ROW EXCLUSIVE",
	"EXCLUSIVE",
	"ACCESS EXCLUSIVE",
] as const;
export type LockMode = (typeof LOCK_MODES)[number];

/** Whom a lock keeps waiting until the end of its transaction. */
export type Blocked = "nothing" | "writes" | "reads and writes";

/**
 * What a lock blocks of an application that reads (ACCESS SHARE) and writes (ROW EXCLUSIVE), by PostgreSQL's table of
 * conflicting lock modes. `SELECT … FOR UPDATE` counts as a write.
 */
export function blockedBy(mode: LockMode): Blocked {
	if (mode === "ACCESS EXCLUSIVE") return "reads and writes";
	return LOCK_MODES.indexOf(mode) >= LOCK_MODES.indexOf("SHARE") ? "writes" : "nothing";
}

/** The strongest of some modes; undefined of none. */
export function strongestMode(modes: Iterable<LockMode>): LockMode | undefined {
	const ranks = [...modes].map((mode) => LOCK_MODES.indexOf(mode));
	return ranks.length === 0 ? undefined : LOCK_MODES[Math.max(...ranks)];
}
