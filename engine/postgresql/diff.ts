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

/** What is left of both lists without their longest common subsequence. */
function listPositions(was: Value[], becomes: Value[]): Positions {
	const lengths = Array.from({ length: was.length + 1 }, () => new Array<number>(becomes.length + 1).fill(0));
	const length = (i: number, j: number) => lengths[i]?.[j] ?? 0;
	for (let i = was.length - 1; i >= 0; i--) {
		for (let j = becomes.length - 1; j >= 0; j--) {
			const row = lengths[i] ?? [];
			row[j] =
				was[i] === becomes[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
		}
	}
	const positions: Positions = { removed: [], added: [] };
	let [i, j] = [0, 0];
	while (i < was.length || j < becomes.length) {
		if (i < was.length && j < becomes.length && was[i] === becomes[j]) {
			i++;
			j++;
		} else if (j >= becomes.length || (i < was.length && length(i + 1, j) >= length(i, j + 1))) {
			positions.removed.push(i++);
		} else {
			positions.added.push(j++);
		}
	}
	return positions;
}
