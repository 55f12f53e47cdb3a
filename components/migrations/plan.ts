import type { AppliedMigration, Migration } from "./migration";

/** What brings a database from what is applied to what is wanted. */
export interface Plan {
	/** In the order in which they will be applied, after the undoing. */
	apply: Migration[];
	/** Newest first. */
	undo: AppliedMigration[];
	/** Sentences that say why this must not run, and how to mend it. With any of them nothing runs. */
	problems: string[];
}
