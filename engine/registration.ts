/** Reads the program's requests about resources. */
import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type * as aliasProto from "@pulumi/pulumi/proto/alias_pb";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import type { SourcePosition, StackTrace } from "@pulumi/pulumi/proto/source_pb";
import { EngineError } from "./errors";
import type { Alias, Goal } from "./goal";
import type { CustomTimeouts, StackFrame } from "./state";
import { mapValues, type PropertyMap } from "./values";
import { type JsonMap, mapFromWire } from "./wire";

/** Properties with the resources that each depends on. */
export interface TracedProperties {
	properties: PropertyMap;
	dependencies: { [property: string]: string[] };
}

/** Adds what output values say about dependencies to what the request says. */
function traceProperties(request: RegisterResourceRequest): TracedProperties {
	const raw = (request.getObject()?.toJavaScript() ?? {}) as JsonMap;
	const declared = request.getPropertydependenciesMap();
	const all = request.getDependenciesList();
	const dependencies: { [property: string]: string[] } = {};
	const properties = mapValues(raw, (value, key) => {
		const named = declared.getLength() === 0 ? all : (declared.get(key)?.getUrnsList() ?? []);
		const urns = new Set(named);
		const property = mapFromWire({ value }, (urn) => urns.add(urn)).value;
		dependencies[key] = [...urns];
		return property ?? null;
	});
	declared.forEach((list, key) => {
		if (!Object.hasOwn(dependencies, key)) dependencies[key] = list.getUrnsList();
	});
	return { properties, dependencies };
}

/**
 * The goal of a registration, its provider still to be found.
 * @throws EngineError for what needs the Pulumi CLI: packaged components, imports, transforms, hooks.
 */
export function goalOf(request: RegisterResourceRequest, root: string): Goal {
	const name = request.getName();
	const refuse = (what: string): never => {
		throw new EngineError(
			`${what} (resource '${name}') are beyond the embedded engine; install the Pulumi CLI`,
		);
	};
	if (request.getRemote()) refuse("components that come in packages");
	if (request.getImportid() !== "") refuse("imports of existing resources");
	if (request.getTransformsList().length > 0) refuse("transforms");
	if (request.getHooks() !== undefined) refuse("resource hooks");
	if (request.getPackageref() !== "") refuse("parameterized packages");
	if (request.getReplaceWithList().length > 0) refuse("the option replaceWith");
	if (request.hasReplacementTrigger()) refuse("the option replacementTrigger");
	const { properties, dependencies } = traceProperties(request);
	const definesOrder = request.getDeletebeforereplacedefined() || request.getDeletebeforereplace();
	return {
		type: request.getType(),
		name,
		custom: request.getCustom(),
		properties,
		parent: request.getParent(),
		protect: request.hasProtect() ? request.getProtect() : undefined,
		dependencies: [...new Set(request.getDependenciesList())],
		provider: request.getProvider(),
		propertyDependencies: dependencies,
		deleteBeforeReplace: definesOrder ? request.getDeletebeforereplace() : undefined,
		ignoreChanges: request.getIgnorechangesList(),
		additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
		aliases: [
			...request.getAliasurnsList().map((urn) => ({ urn })),
			...request.getAliasesList().map((alias) => aliasOf(alias, request.getAliasspecs())),
		],
		customTimeouts: timeoutsOf(request),
		replaceOnChanges: request.getReplaceonchangesList(),
		retainOnDelete: request.hasRetainondelete() ? request.getRetainondelete() : undefined,
		deletedWith: request.getDeletedwith(),
		sourcePosition: positionOf(request.getSourceposition(), root),
		stackTrace: traceOf(request.getStacktrace(), root),
	};
}

/** Older SDKs mean "no parent" where they give an empty one, and the reverse. */
function aliasOf(alias: aliasProto.Alias, wellSpecified: boolean): Alias {
	const spec = alias.getSpec();
	if (spec === undefined) return { urn: alias.getUrn() };
	const parent = spec.getParenturn();
	let noParent = spec.getNoparent();
	if (!wellSpecified && parent === "") noParent = !noParent;
	return {
		name: spec.getName(),
		type: spec.getType(),
		stack: spec.getStack(),
		project: spec.getProject(),
		parent,
		noParent,
	};
}

function timeoutsOf(request: RegisterResourceRequest): CustomTimeouts {
	const given = request.getCustomtimeouts();
	const timeouts: CustomTimeouts = {};
	if (given === undefined) return timeouts;
	if (given.getCreate() !== "") timeouts.create = seconds(given.getCreate());
	if (given.getUpdate() !== "") timeouts.update = seconds(given.getUpdate());
	if (given.getDelete() !== "") timeouts.delete = seconds(given.getDelete());
	return timeouts;
}

const UNITS: { [unit: string]: number } = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** Reads a duration as Go writes it: `1h2m3.5s`. */
export function seconds(duration: string): number {
	const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
	if (parts.length === 0 || parts.map(([text]) => text).join("") !== duration) {
		throw new EngineError(`unable to parse customTimeout Value ${duration}`);
	}
	return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * UNITS[unit!]!, 0);
}

/** Where in the project the program registered the resource, e.g. `project:///index.ts#12,3`. */
export function positionOf(position: SourcePosition | undefined, root: string): string {
	if (position === undefined || !position.getUri().startsWith("file:")) return "";
	let file: string;
	try {
		file = fileURLToPath(position.getUri());
	} catch {
		return "";
	}
	if (!isAbsolute(file)) return "";
	const path = `/${relative(root, file)}`;
	const column = position.getColumn() === 0 ? "" : `,${position.getColumn()}`;
	return `project://${encodeURI(path)}#${position.getLine()}${column}`;
}

export function traceOf(trace: StackTrace | undefined, root: string): StackFrame[] {
	return (trace?.getFramesList() ?? []).map((frame) => {
		const sourcePosition = positionOf(frame.getPc(), root);
		return sourcePosition === "" ? {} : { sourcePosition };
	});
}
