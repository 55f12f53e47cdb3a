import type { Properties } from "../provider";
import type { Sessions } from "./session";

/** What the server says about a resource; `id` changes with a rename. */
export interface Found {
	id: string;
	properties: Properties;
}

export interface Context {
	sessions: Sessions;
	/** Seconds for one statement; 0 means the default. */
	timeoutSeconds: number;
}

export interface Creation {
	/** The planned properties; what only the server can choose is `UNKNOWN`. */
	planned: Properties;
	/** As the program gave them, write-only ones included. */
	inputs: Properties;
	/** Take over what an interrupted create left behind. */
	interrupted: boolean;
}

export interface Change {
	prior: Properties;
	planned: Properties;
	inputs: Properties;
	/** The names of the properties that change. */
	changed: ReadonlySet<string>;
}

/** What one resource type does on the server. */
export interface Handler {
	create(context: Context, creation: Creation): Promise<Found>;
	/** @returns undefined when it is gone. `prior` is empty when only the id is known. */
	read(context: Context, id: string, prior: Properties): Promise<Found | undefined>;
	update(context: Context, change: Change): Promise<Found>;
	/** Succeeds when it is already gone. */
	delete(context: Context, prior: Properties): Promise<void>;
}
