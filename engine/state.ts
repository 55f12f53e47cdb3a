/** What the engine knows about a resource, and how the state file writes it. */
import { EngineError } from "./errors";
import { UNKNOWN } from "./provider";
import type { Crypter, Decrypter } from "./secrets";
import { type Property, type PropertyMap, ResourceReference, Secret, setKey } from "./values";
import {
	type Json,
	type JsonMap,
	RESOURCE_SIGNATURE,
	SECRET_SIGNATURE,
	SIGNATURE,
	UNKNOWN_STRING,
} from "./wire";

export interface CustomTimeouts {
	/** Seconds; absent when the program says nothing. */
	create?: number;
	update?: number;
	delete?: number;
	read?: number;
}

export interface StackFrame {
	sourcePosition?: string;
}

/** One resource in the state. Steps know resources by identity, since several may share a URN. */
export interface ResourceState {
	urn: string;
	custom: boolean;
	/** Replaced already, still to be deleted. */
	delete: boolean;
	id: string;
	type: string;
	inputs: PropertyMap;
	outputs: PropertyMap;
	parent: string;
	protect: boolean;
	/** Read, not managed. */
	external: boolean;
	dependencies: string[];
	initErrors: string[];
	/** `<urn>::<id>` of the provider resource; empty for components and providers. */
	provider: string;
	propertyDependencies: { [property: string]: string[] };
	/** Deleted already, its replacement still to be created. */
	pendingReplacement: boolean;
	additionalSecretOutputs: string[];
	aliases: string[];
	customTimeouts: CustomTimeouts;
	importID: string;
	retainOnDelete: boolean;
	deletedWith: string;
	created?: string;
	modified?: string;
	sourcePosition: string;
	stackTrace: StackFrame[];
	ignoreChanges: string[];
	replaceOnChanges: string[];
	/** What the state says about it that this engine does not use; carried along untouched. */
	extra: JsonMap;
}

export type OperationType = "creating" | "updating" | "deleting" | "reading" | "importing";

export interface PendingOperation {
	resource: ResourceState;
	type: OperationType;
}

const FLOAT_SIGNATURE = "8ad145fe-0d11-4827-bfd7-1abcbf086f5c";

/** Writes a value for the state file. Without a crypter the value is inside a secret and needs none. */
function writeProperty(value: Property, crypter: Crypter | undefined): Json {
	if (value === UNKNOWN) return UNKNOWN_STRING;
	if (value instanceof Secret) {
		if (crypter === undefined) {
			return {
				[SIGNATURE]: SECRET_SIGNATURE,
				ciphertext: JSON.stringify(writeProperty(value.element, undefined)),
			};
		}
		value.ciphertext ??= crypter.encrypt(JSON.stringify(writeProperty(value.element, undefined)));
		return { [SIGNATURE]: SECRET_SIGNATURE, ciphertext: value.ciphertext };
	}
	if (value instanceof ResourceReference) {
		const reference: JsonMap = { [SIGNATURE]: RESOURCE_SIGNATURE };
		if (value.id !== undefined) reference.id = value.id === UNKNOWN ? "" : value.id;
		return { ...reference, packageVersion: value.packageVersion, urn: value.urn };
	}
	if (typeof value === "number" && !Number.isFinite(value)) {
		const bits = Buffer.alloc(8);
		bits.writeDoubleBE(value);
		return { [SIGNATURE]: FLOAT_SIGNATURE, value: bits.toString("hex") };
	}
	if (Array.isArray(value)) return value.map((element) => writeProperty(element, crypter));
	if (typeof value === "object" && value !== null) return writeProperties(value, crypter);
	return value as Json;
}

/** Keys in byte order, as Go writes maps. */
export function writeProperties(map: PropertyMap, crypter: Crypter | undefined): JsonMap {
	const result: JsonMap = {};
	for (const key of Object.keys(map).sort(byBytes)) setKey(result, key, writeProperty(map[key]!, crypter));
	return result;
}

export function byBytes(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Reads a value from the state file.
 * @throws EngineError when a secret cannot be decrypted or a value is of a kind that needs the Pulumi CLI.
 */
function readProperty(value: Json, crypter: Decrypter | undefined): Property {
	if (value === null || typeof value === "boolean" || typeof value === "number") return value;
	if (typeof value === "string") return value === UNKNOWN_STRING ? UNKNOWN : value;
	if (Array.isArray(value)) return value.map((element) => readProperty(element, crypter));
	const map = value as JsonMap;
	switch (map[SIGNATURE]) {
		case undefined:
			return readProperties(map, crypter);
		case SECRET_SIGNATURE:
			return readSecret(map, crypter);
		case RESOURCE_SIGNATURE:
			return new ResourceReference(
				String(map.urn),
				typeof map.id === "string" ? (map.id === "" ? UNKNOWN : map.id) : undefined,
				typeof map.packageVersion === "string" ? map.packageVersion : "",
			);
		case FLOAT_SIGNATURE:
			return Buffer.from(String(map.value), "hex").readDoubleBE();
		default:
			throw new EngineError("the state holds an asset or another kind of value that needs the Pulumi CLI");
	}
}

function readSecret(map: JsonMap, crypter: Decrypter | undefined): Secret {
	if (typeof map.plaintext === "string") {
		return new Secret(readProperty(JSON.parse(map.plaintext) as Json, undefined));
	}
	if (typeof map.ciphertext !== "string")
		throw new EngineError("the state holds a secret without a ciphertext");
	const text = crypter === undefined ? map.ciphertext : crypter.decrypt(map.ciphertext);
	const secret = new Secret(readProperty(JSON.parse(text) as Json, undefined));
	if (crypter !== undefined) secret.ciphertext = map.ciphertext;
	return secret;
}

export function readProperties(map: JsonMap, crypter: Decrypter | undefined): PropertyMap {
	const result: PropertyMap = {};
	for (const [key, value] of Object.entries(map)) setKey(result, key, readProperty(value, crypter));
	return result;
}

const KNOWN = new Set(
	(
		"urn custom delete id type inputs outputs parent protect external dependencies initErrors provider " +
		"propertyDependencies pendingReplacement additionalSecretOutputs aliases customTimeouts importID " +
		"retainOnDelete deletedWith created modified sourcePosition stackTrace ignoreChanges replaceOnChanges"
	).split(" "),
);

/** @throws EngineError as `readProperties` does. */
export function readResource(json: JsonMap, crypter: Decrypter | undefined): ResourceState {
	const text = (key: string): string => (typeof json[key] === "string" ? json[key] : "");
	const flag = (key: string): boolean => json[key] === true;
	const list = (key: string): string[] => (Array.isArray(json[key]) ? json[key].map(String) : []);
	const map = (key: string): JsonMap => (json[key] ?? {}) as JsonMap;
	if (text("urn") === "" || text("type") === "")
		throw new EngineError("the state has a resource without URN or type");
	const state: ResourceState = {
		urn: text("urn"),
		custom: flag("custom"),
		delete: flag("delete"),
		id: text("id"),
		type: text("type"),
		inputs: readProperties(map("inputs"), crypter),
		outputs: readProperties(map("outputs"), crypter),
		parent: text("parent"),
		protect: flag("protect"),
		external: flag("external"),
		dependencies: list("dependencies"),
		initErrors: list("initErrors"),
		provider: text("provider"),
		propertyDependencies: map("propertyDependencies") as { [property: string]: string[] },
		pendingReplacement: flag("pendingReplacement"),
		additionalSecretOutputs: list("additionalSecretOutputs"),
		aliases: list("aliases"),
		customTimeouts: map("customTimeouts") as CustomTimeouts,
		importID: text("importID"),
		retainOnDelete: flag("retainOnDelete"),
		deletedWith: text("deletedWith"),
		created: text("created") || undefined,
		modified: text("modified") || undefined,
		sourcePosition: text("sourcePosition"),
		stackTrace: (json.stackTrace ?? []) as StackFrame[],
		ignoreChanges: list("ignoreChanges"),
		replaceOnChanges: list("replaceOnChanges"),
		extra: Object.fromEntries(Object.entries(json).filter(([key]) => !KNOWN.has(key))),
	};
	for (const [property, urns] of Object.entries(state.propertyDependencies)) {
		state.propertyDependencies[property] = urns ?? [];
	}
	return state;
}

/** Fields in the CLI's order, empty ones left out as it does. */
export function writeResource(state: ResourceState, crypter: Crypter | undefined): JsonMap {
	const filled = (map: JsonMap): JsonMap | undefined => (Object.keys(map).length > 0 ? map : undefined);
	const some = <T>(list: T[]): T[] | undefined => (list.length > 0 ? list : undefined);
	const sortedDependencies: JsonMap = {};
	for (const key of Object.keys(state.propertyDependencies).sort(byBytes)) {
		setKey(sortedDependencies, key, state.propertyDependencies[key] as string[] as Json);
	}
	const fields: { [key: string]: unknown } = {
		urn: state.urn,
		custom: state.custom,
		delete: state.delete || undefined,
		id: state.id || undefined,
		type: state.type,
		inputs: filled(writeProperties(state.inputs, crypter)),
		outputs: filled(writeProperties(state.outputs, crypter)),
		parent: state.parent || undefined,
		protect: state.protect || undefined,
		external: state.external || undefined,
		dependencies: some(state.dependencies),
		initErrors: some(state.initErrors),
		provider: state.provider || undefined,
		propertyDependencies: filled(sortedDependencies),
		pendingReplacement: state.pendingReplacement || undefined,
		additionalSecretOutputs: some(state.additionalSecretOutputs),
		aliases: some(state.aliases),
		customTimeouts: filled(state.customTimeouts as JsonMap),
		importID: state.importID || undefined,
		retainOnDelete: state.retainOnDelete || undefined,
		deletedWith: state.deletedWith || undefined,
		created: state.created,
		modified: state.modified,
		sourcePosition: state.sourcePosition || undefined,
		stackTrace: some(state.stackTrace),
		ignoreChanges: some(state.ignoreChanges),
		replaceOnChanges: some(state.replaceOnChanges),
		...state.extra,
	};
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as JsonMap;
}
