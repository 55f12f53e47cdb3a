/** Property values as the operator sees them; secrets never. */
import { UNKNOWN } from "./provider";
import { equal, isMap, type Property, type PropertyMap, ResourceReference, Secret } from "./values";

export const HIDDEN = "[secret]";

export interface TextOptions {
	/** Show what is secret; only ever on the operator's demand. */
	showSecrets: boolean;
	/** What stands for a value that is not known yet. */
	unknown: string;
}

/** Lines for a map, aligned as the CLI aligns them; `~ key: old => new` where something changed. */
export function describeMap(map: PropertyMap, indent: number, options: TextOptions): string[] {
	const width = Math.max(0, ...Object.keys(map).map((key) => key.length));
	return Object.keys(map)
		.sort()
		.flatMap((key) => describeEntry(key.padEnd(width), map[key]!, indent, "  ", options));
}

function describeEntry(
	label: string,
	value: Property,
	indent: number,
	mark: string,
	options: TextOptions,
): string[] {
	const pad = " ".repeat(indent);
	const [first = "", ...rest] = describeValue(value, indent, mark, options);
	return [`${pad}${mark}${label}: ${first}`, ...rest];
}

/** The first line goes behind the label, the others stand on their own. */
function describeValue(value: Property, indent: number, mark: string, options: TextOptions): string[] {
	const pad = " ".repeat(indent);
	const inner = (entries: [string, Property][], open: string, close: string): string[] => {
		if (entries.length === 0) return [`${open}${close}`];
		const width = Math.max(...entries.map(([key]) => key.length));
		const lines = entries.flatMap(([key, part]) =>
			describeEntry(key.padEnd(width), part, indent + 4, mark, options),
		);
		return [open, ...lines, `${pad}${mark}${close}`];
	};
	if (value instanceof Secret && options.showSecrets)
		return describeValue(value.element, indent, mark, options);
	if (Array.isArray(value))
		return inner(
			[...value.entries()].map(([index, part]) => [`[${index}]`, part]),
			"[",
			"]",
		);
	if (isMap(value))
		return inner(
			Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)),
			"{",
			"}",
		);
	return [scalarText(value, options)];
}

function scalarText(value: Property, options: TextOptions): string {
	if (value instanceof Secret) return HIDDEN;
	if (value === UNKNOWN) return options.unknown;
	if (value instanceof ResourceReference) return value.id === undefined ? value.urn : String(value.id);
	return JSON.stringify(value);
}

/** Lines for what changed between two maps; what did not is shown only within `context`. */
export function describeChanges(
	before: PropertyMap,
	now: PropertyMap,
	indent: number,
	options: TextOptions & { context: boolean },
): string[] {
	const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
	const shown = keys.filter((key) => options.context || !equal(before[key], now[key]));
	const width = Math.max(0, ...shown.map((key) => key.length));
	return shown.flatMap((key) => describeChange(key.padEnd(width), before[key], now[key], indent, options));
}

function describeChange(
	label: string,
	before: Property | undefined,
	now: Property | undefined,
	indent: number,
	options: TextOptions & { context: boolean },
): string[] {
	if (equal(before, now)) return describeEntry(label, now!, indent, "  ", options);
	if (before === undefined) return describeEntry(label, now!, indent, "+ ", options);
	if (now === undefined) return describeEntry(label, before, indent, "- ", options);
	const pad = " ".repeat(indent);
	if (isMap(before) && isMap(now)) {
		return [`${pad}~ ${label}: {`, ...describeChanges(before, now, indent + 4, options), `${pad}  }`];
	}
	if (Array.isArray(before) && Array.isArray(now)) {
		return [
			`${pad}~ ${label}: [`,
			...describeChanges(indexed(before), indexed(now), indent + 4, options),
			`${pad}  ]`,
		];
	}
	const from = describeValue(before, indent, "- ", options);
	const to = describeValue(now, indent, "+ ", options);
	const [last = "", ...rest] = to;
	return [`${pad}~ ${label}: ${from.join("\n")} => ${last}`, ...rest];
}

function indexed(list: Property[]): PropertyMap {
	return Object.fromEntries([...list.entries()].map(([index, value]) => [`[${index}]`, value]));
}

/** One value as `stack output` prints it: text as it is, anything else as JSON. */
export function plainText(value: Property, showSecrets: boolean): string {
	const json = toJson(value, showSecrets);
	return typeof json === "string" ? json : JSON.stringify(json);
}

export type PlainJson = null | boolean | number | string | PlainJson[] | { [key: string]: PlainJson };

export function toJson(value: Property, showSecrets: boolean): PlainJson {
	if (value instanceof Secret) return showSecrets ? toJson(value.element, true) : HIDDEN;
	if (value === UNKNOWN) return "[unknown]";
	if (value instanceof ResourceReference) return typeof value.id === "string" ? value.id : value.urn;
	if (Array.isArray(value)) return value.map((part) => toJson(part, showSecrets));
	if (isMap(value)) {
		const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
		return Object.fromEntries(entries.map(([key, part]) => [key, toJson(part, showSecrets)]));
	}
	return value as PlainJson;
}
