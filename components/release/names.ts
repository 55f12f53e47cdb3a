/** The longest identifier that PostgreSQL keeps is 63 bytes; the suffixes of roles and catalog need some of them. */
const LONGEST_BASE = 48;

export interface StackNames {
	/** Folder of everything of platform `local`, from the project's folder. */
	directory: string;
	/** The folder of the service's processes. */
	serviceDirectory: string;
	/** The router's state file; its other files lie beside it. */
	routerFile: string;
	/** Rows that an undo destroyed. */
	backupDirectory: string;
	/** The environment's database. */
	database: string;
	/** The catalog's database. */
	catalog: string;
}

/** What belongs to a stack on this machine, by name. */
export function localNames(stack: string): StackNames {
	const directory = `.local/${stack}`;
	const database = `counting_${stack.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_")}`.slice(0, LONGEST_BASE);
	return {
		directory,
		serviceDirectory: `${directory}/service`,
		routerFile: `${directory}/gateway/state.json`,
		backupDirectory: `${directory}/backups`,
		database,
		catalog: `${database}_catalog`,
	};
}
