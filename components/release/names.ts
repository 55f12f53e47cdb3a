/** The longest identifier that PostgreSQL keeps is 63 bytes; the suffixes of roles and catalog need some of them. */
const LONGEST_BASE = 48;
/** Colours append `_green_<generation>` as well, before the suffixes of their roles. */
const LONGEST_COLOR_BASE = 40;

export interface StackNames {
	/** Folder of everything of platform `local`, from the project's folder. */
	directory: string;
	/** The folder of the service's processes. */
	serviceDirectory: string;
	/** The router's state file; its other files lie beside it. */
	routerFile: string;
	/** Rows that an undo destroyed. */
	backupDirectory: string;
	/** The environment's database, where it has only one. */
	database: string;
	/** Begins the names of the colours' databases and of all that keeps them in step. */
	base: string;
	/** The catalog's database. */
	catalog: string;
	/** The queue's database. */
	queue: string;
}

/** A stack's name as identifiers have it, however long it is. */
export function identifierOf(stack: string): string {
	return `counting_${stack.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_")}`;
}

/** What belongs to a stack on this machine, by name. */
export function localNames(stack: string): StackNames {
	const directory = `.local/${stack}`;
	const name = identifierOf(stack);
	const database = name.slice(0, LONGEST_BASE);
	return {
		directory,
		serviceDirectory: `${directory}/service`,
		routerFile: `${directory}/gateway/state.json`,
		backupDirectory: `${directory}/backups`,
		database,
		base: name.slice(0, LONGEST_COLOR_BASE),
		catalog: `${database}_catalog`,
		queue: `${database}_queue`,
	};
}
