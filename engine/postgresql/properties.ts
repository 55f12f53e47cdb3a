/**
 * What the seven resource types of `@pulumi/postgresql` 3.18.1 are made of. Names, defaults and what forces a
 * replacement are the plugin's: its state has to be understood here, and ours there.
 */

export type Kind = "string" | "bool" | "int" | "list" | "set" | "policies";

export interface Property {
	kind: Kind;
	required?: boolean;
	/** What PostgreSQL chooses when the program says nothing, and what the state then keeps. */
	computed?: boolean;
	default?: string | number | boolean;
	/** A change replaces the resource. */
	forcesNew?: boolean;
	secret?: boolean;
	/** Handed on to the server, never to the state. */
	writeOnly?: boolean;
	/** Made from the resource's logical name when it is left out. */
	autonamed?: boolean;
	min?: number;
	oneOf?: readonly string[];
	/** Kept in the state, but no longer to be given: why, and what instead. */
	refused?: string;
	/** The state's record of how its values differ from the plugin's own needs the inner name where it is unusual. */
	innerName?: string;
}

export interface ResourceType {
	properties: { readonly [name: string]: Property };
	/** A replacement can only be made once the old resource is gone. */
	deleteBeforeReplace?: boolean;
	/** The plugin can find it by its id alone. */
	importable?: boolean;
}

const text = (rest: Partial<Property> = {}): Property => ({ kind: "string", ...rest });
const flag = (value: boolean, rest: Partial<Property> = {}): Property => ({
	kind: "bool",
	default: value,
	...rest,
});
const required = { required: true, forcesNew: true } as const;
const chosenByServer = { computed: true, forcesNew: true } as const;
const name = text({ required: true, autonamed: true });
const connectionLimit: Property = { kind: "int", default: -1, min: -1 };
const milliseconds: Property = { kind: "int", min: 0 };
const privileges: Property = { kind: "set", required: true };
const withGrantOption = flag(false, { forcesNew: true });

const role: ResourceType = {
	importable: true,
	properties: {
		assumeRole: text(),
		bypassRowLevelSecurity: flag(false),
		connectionLimit,
		createDatabase: flag(false),
		createRole: flag(false),
		encrypted: text(),
		encryptedPassword: flag(true),
		idleInTransactionSessionTimeout: milliseconds,
		inherit: flag(true),
		login: flag(false),
		name,
		password: text({ secret: true }),
		passwordWo: text({ secret: true, writeOnly: true }),
		passwordWoVersion: text(),
		replication: flag(false),
		roles: { kind: "set" },
		searchPaths: { kind: "list", innerName: "search_path" },
		skipDropRole: flag(false),
		skipReassignOwned: flag(false),
		statementTimeout: milliseconds,
		superuser: flag(false),
		validUntil: text({ default: "infinity" }),
	},
};

const database: ResourceType = {
	importable: true,
	properties: {
		allowConnections: flag(true),
		alterObjectOwnership: flag(false),
		connectionLimit,
		encoding: text(chosenByServer),
		isTemplate: { kind: "bool", computed: true },
		lcCollate: text(chosenByServer),
		lcCtype: text(chosenByServer),
		name,
		owner: text({ computed: true }),
		tablespaceName: text({ computed: true }),
		template: text(chosenByServer),
	},
};

export const GRANT_OBJECT_TYPES = [
	"database",
	"function",
	"procedure",
	"routine",
	"schema",
	"sequence",
	"table",
	"foreign_data_wrapper",
	"foreign_server",
	"column",
] as const;

const grant: ResourceType = {
	deleteBeforeReplace: true,
	properties: {
		columns: { kind: "set", forcesNew: true },
		database: text(required),
		objectType: text({ ...required, oneOf: GRANT_OBJECT_TYPES }),
		objects: { kind: "set", forcesNew: true },
		privileges,
		role: text(required),
		schema: text({ forcesNew: true }),
		withGrantOption,
	},
};

export const DEFAULT_PRIVILEGE_OBJECT_TYPES = [
	"table",
	"sequence",
	"function",
	"routine",
	"type",
	"schema",
] as const;

const defaultPrivileges: ResourceType = {
	properties: {
		database: text(required),
		objectType: text({ ...required, oneOf: DEFAULT_PRIVILEGE_OBJECT_TYPES }),
		owner: text(required),
		privileges,
		role: text(required),
		schema: text({ forcesNew: true }),
		withGrantOption,
	},
};

const grantRole: ResourceType = {
	properties: {
		grantRole: text(required),
		role: text(required),
		withAdminOption: flag(false, { forcesNew: true }),
	},
};

const schema: ResourceType = {
	importable: true,
	properties: {
		database: text(chosenByServer),
		dropCascade: flag(false),
		ifNotExists: flag(true),
		name,
		owner: text({ computed: true }),
		policies: {
			kind: "policies",
			computed: true,
			innerName: "policy",
			refused: "is deprecated: declare a postgresql.Grant with objectType `schema`",
		},
	},
};

const extension: ResourceType = {
	importable: true,
	properties: {
		createCascade: flag(false),
		database: text(chosenByServer),
		dropCascade: flag(false),
		name: { ...name, forcesNew: true },
		schema: text({ computed: true }),
		version: text({ computed: true }),
	},
};

/** By type token. */
export const RESOURCE_TYPES: { readonly [token: string]: ResourceType } = {
	"postgresql:index/role:Role": role,
	"postgresql:index/database:Database": database,
	"postgresql:index/grant:Grant": grant,
	"postgresql:index/defaultPrivileges:DefaultPrivileges": defaultPrivileges,
	"postgresql:index/grantRole:GrantRole": grantRole,
	"postgresql:index/schema:Schema": schema,
	"postgresql:index/extension:Extension": extension,
};

/** @throws Error when the type is not among those above, saying what to do. */
export function resourceType(token: string): ResourceType {
	const found = RESOURCE_TYPES[token];
	if (found === undefined) {
		const known = Object.keys(RESOURCE_TYPES).map((each) => each.split(":")[2]);
		throw new Error(
			`${token} is not known to the embedded engine (it knows ${known.join(", ")}): install the Pulumi CLI`,
		);
	}
	return found;
}
