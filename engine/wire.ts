/** Property values as they travel between the engine, the program and the dynamic provider host. */

import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { EngineError } from "./errors";
import { UNKNOWN } from "./provider";
import { mapValues, type Property, type PropertyMap, ResourceReference, Secret, setKey } from "./values";

export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
export const RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e";
const ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7";
const OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
export const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** What older SDKs send for unknown booleans, numbers, arrays, assets, archives and objects. */
const UNKNOWN_STRINGS = new Set([
	UNKNOWN_STRING,
	"1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
	"3eeb2bf0-c639-47a8-9e75-3b44932eb421",
	"6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
	"030794c1-ac77-496b-92df-f27374a8bd58",
	"e48ece36-62e2-4504-bad9-02848725956a",
	"dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonMap = { [key: string]: Json };

/** Collects the URNs that output values name as their dependencies. */
export type DependencySink = (urn: string) => void;

/**
 * Reads a value that came over the wire.
 * @throws EngineError for assets and archives, which need the Pulumi CLI.
 */
export function fromWire(value: Json, dependency?: DependencySink): Property {
	if (value === null || typeof value === "boolean" || typeof value === "number") return value;
	if (typeof value === "string") return UNKNOWN_STRINGS.has(value) ? UNKNOWN : value;
	if (Array.isArray(value)) return value.map((element) => fromWire(element, dependency));
	const map = value;
	switch (map[SIGNATURE]) {
		case undefined:
			return mapFromWire(map, dependency);
		case SECRET_SIGNATURE:
			return new Secret(fromWire(map.value ?? null, dependency));
		case RESOURCE_SIGNATURE:
			return referenceFrom(map);
		case OUTPUT_SIGNATURE:
			return outputFrom(map, dependency);
		case ASSET_SIGNATURE:
		case ARCHIVE_SIGNATURE:
			throw new EngineError(
				"assets and archives are beyond the embedded engine; install the Pulumi CLI to deploy this program",
			);
		default:
			throw new EngineError(`unrecognized signature ${JSON.stringify(map[SIGNATURE])} in a property value`);
	}
}

export function mapFromWire(map: JsonMap, dependency?: DependencySink): PropertyMap {
	return mapValues(map, (value) => fromWire(value, dependency));
}

function referenceFrom(map: JsonMap): ResourceReference {
	const id = map.id;
	const version = map.packageVersion;
	return new ResourceReference(
		String(map.urn),
		typeof id === "string" ? (UNKNOWN_STRINGS.has(id) || id === "" ? UNKNOWN : id) : undefined,
		typeof version === "string" ? version : "",
	);
}

/** Output values are lowered to plain, secret or unknown ones; their dependencies go to the sink. */
function outputFrom(map: JsonMap, dependency?: DependencySink): Property {
	if (Array.isArray(map.dependencies)) for (const urn of map.dependencies) dependency?.(String(urn));
	const element = map.value === undefined ? UNKNOWN : fromWire(map.value, dependency);
	return map.secret === true ? new Secret(element) : element;
}

export interface WireOptions {
	/** The receiver understands secrets; otherwise they are sent in the clear. */
	keepSecrets: boolean;
	/** The receiver understands resource references; otherwise it gets ids. */
	keepResources: boolean;
}

export function toWire(value: Property, options: WireOptions): Json {
	if (value === UNKNOWN) return UNKNOWN_STRING;
	if (value instanceof Secret) {
		const element = toWire(value.element, options);
		return options.keepSecrets ? { [SIGNATURE]: SECRET_SIGNATURE, value: element } : element;
	}
	if (value instanceof ResourceReference) {
		const id = value.id === UNKNOWN ? UNKNOWN_STRING : value.id;
		if (!options.keepResources) return id ?? value.urn;
		const reference: JsonMap = { [SIGNATURE]: RESOURCE_SIGNATURE, urn: value.urn };
		if (id !== undefined) reference.id = id;
		if (value.packageVersion !== "") reference.packageVersion = value.packageVersion;
		return reference;
	}
	if (Array.isArray(value)) return value.map((element) => toWire(element, options));
	if (typeof value === "object" && value !== null) return mapToWire(value, options);
	return value;
}

export function mapToWire(map: PropertyMap, options: WireOptions): JsonMap {
	const result: JsonMap = {};
	for (const [key, value] of Object.entries(map)) setKey(result, key, toWire(value, options));
	return result;
}

export function structToMap(struct: Struct | undefined, dependency?: DependencySink): PropertyMap {
	return struct === undefined ? {} : mapFromWire(struct.toJavaScript() as JsonMap, dependency);
}

export function mapToStruct(map: PropertyMap, options: WireOptions): Struct {
	return Struct.fromJavaScript(mapToWire(map, options));
}
