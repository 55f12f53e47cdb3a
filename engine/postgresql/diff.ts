import type { DiffRequest, DiffResult, Properties, PropertyChange, Value } from "../provider";
import { UNKNOWN } from "../provider";
import { changedProperties, isCollection, isZero, plan } from "./plan";
import { type Property, type ResourceType, resourceType } from "./properties";

/**
 * Decides what an update has to do: nothing, a change in place, or a replacement.
 *
 * @throws Error when the resource's type is not known.
 */
export function diff({ type: token, olds, news }: DiffRequest): DiffResult {
	const type = resourceType(token);
	const planned = plan(type, news, olds);
	const changed = changedProperties(type, olds, planned);
	const replaces = changed.filter((name) => type.properties[name]?.forcesNew);
	const detailed: NonNullable<DiffResult["detailed"]> = {};
	for (const name of changed) {
		const property = type.properties[name];
		if (property !== undefined) {
			for (const [path, kind] of changesOf(name, property, olds[name] ?? null, planned[name] ?? null, news)) {
				detailed[path] = { kind: property.forcesNew ? `${kind}-replace` : kind };
			}
		}
	}
	return {
		changes: changed.length > 0 ? "some" : "none",
		replaces,
		stables: Object.keys(type.properties).filter(
			(name) => type.properties[name]?.forcesNew && !replaces.includes(name),
		),
		diffs: changed,
		detailed,
		deleteBeforeReplace: replaces.length > 0 && needsItsName(type, news),
	};
}

/** Whether old and new resource cannot be there at the same time. */
function needsItsName(type: ResourceType, news: Properties): boolean {
	if (type.deleteBeforeReplace) {
		return true;
	}
	const defaults = news.__defaults;
	return (
		Array.isArray(defaults) &&
		Object.keys(news).some((name) => type.properties[name]?.autonamed && !defaults.includes(name))
	);
}

type Kind = "add" | "delete" | "update";
type Change = [path: string, kind: Extract<PropertyChange, Kind>];

function changesOf(name: string, property: Property, was: Value, becomes: Value, news: Properties): Change[] {
	if (!isCollection(property)) {
		return [[name, was === null ? "add" : becomes === null ? "delete" : "update"]];
	}
	if (isZero(was)) {
		return [[name, "add"]];
	}
	if (isZero(becomes)) {
		return [[name, "delete"]];
	}
	const given = news[name];
	if (becomes === UNKNOWN || !Array.isArray(was) || !Array.isArray(becomes) || !Array.isArray(given)) {
		return [[name, "update"]];
	}
	const { added, removed } =
		property.kind === "set" ? setPositions(was, becomes, given) : listPositions(was, becomes);
	const positions = [...new Set([...removed, ...added])].sort((a, b) => a - b);
	return positions.map((index) => [
		`${name}[${index}]`,
		!removed.includes(index) ? "add" : added.includes(index) ? "update" : "delete",
	]);
}

interface Positions {
	/** Where elements were, in the old value. */
	removed: number[];
	/** Where elements are new, as the program gives them. */
	added: number[];
}

function setPositions(was: Value[], becomes: Value[], given: Value[]): Positions {
	return {
		removed: was.flatMap((element, index) => (becomes.includes(element) ? [] : [index])),
		added: becomes.flatMap((element) => (was.includes(element) ? [] : [given.indexOf(element)])),
	};
}

function listPositions(was: Value[], becomes: Value[]): Positions {
	const differing = Array.from({ length: Math.max(was.length, becomes.length) }, (_, index) => index).filter(
		(index) => was[index] !== becomes[index],
	);
	return {
		removed: differing.filter((index) => index < was.length),
		added: differing.filter((index) => index < becomes.length),
	};
}
