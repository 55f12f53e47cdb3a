/** Differences between an old and a new version of a resource's properties. */

import { covers, formatPath, type PathPart, parsePath } from "./propertyPath";
import type { PropertyChange } from "./provider";
import { equal, isMap, type Property, type PropertyMap, reveal } from "./values";

/** What a provider, or the engine for it, says has changed. */
export interface Diff {
	changed: boolean;
	/** Properties that make it a replacement; `id`, `provider`, `deletedWith` stand for other reasons. */
	replaceKeys: string[];
	/** Properties that changed; empty when the provider did not name them. */
	changedKeys: string[];
	/** Changes by path; undefined when the provider did not name them. */
	detailed?: Map<string, PropertyChange>;
	deleteBeforeReplace: boolean;
}

export const NO_DIFF: Diff = { changed: false, replaceKeys: [], changedKeys: [], deleteBeforeReplace: false };

export function isReplacement(diff: Diff): boolean {
	if (diff.replaceKeys.length > 0) return true;
	return diff.detailed !== undefined && [...diff.detailed.values()].some((kind) => kind.endsWith("-replace"));
}

export function replaceBecauseOf(key: string): Diff {
	return { changed: true, replaceKeys: [key], changedKeys: [], deleteBeforeReplace: false };
}

/** The engine's own comparison, used when the provider leaves it the decision. Secrecy alone is no change. */
export function compareInputs(before: PropertyMap, now: PropertyMap): Diff {
	const detailed = new Map<string, PropertyChange>();
	collect(reveal(before), reveal(now), [], detailed);
	if (detailed.size === 0) return NO_DIFF;
	const changedKeys = [...new Set([...detailed.keys()].map((path) => String(parsePath(path)?.[0] ?? path)))];
	return { changed: true, replaceKeys: [], changedKeys, detailed, deleteBeforeReplace: false };
}

function collect(
	before: Property | undefined,
	now: Property | undefined,
	path: PathPart[],
	found: Map<string, PropertyChange>,
): void {
	if (equal(before, now)) return;
	if (before !== undefined && now !== undefined && isMap(before) && isMap(now)) {
		for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
			collect(before[key], now[key], [...path, key], found);
		}
	} else if (Array.isArray(before) && Array.isArray(now)) {
		for (let index = 0; index < Math.max(before.length, now.length); index++) {
			collect(before[index], now[index], [...path, index], found);
		}
	} else {
		found.set(formatPath(path), before === undefined ? "add" : now === undefined ? "delete" : "update");
	}
}

const INIT_ERROR = "#initerror";

/** Turns changes of the paths in `replaceOnChanges` into replacements. */
export function applyReplaceOnChanges(diff: Diff, replaceOnChanges: string[], hasInitErrors: boolean): Diff {
	if (!diff.changed && !hasInitErrors) return diff;
	const paths = replaceOnChanges.map(parsePath).filter((path) => path !== undefined);
	const matches = (text: string): boolean => {
		const path = parsePath(text);
		return path !== undefined && paths.some((outer) => covers(outer, path));
	};
	const replaceKeys = new Set(diff.replaceKeys);
	for (const key of diff.changedKeys) if (matches(key)) replaceKeys.add(key);
	let detailed = diff.detailed;
	if (detailed !== undefined) {
		detailed = new Map(
			[...detailed].map(([path, kind]) => [path, matches(path) ? toReplace(kind) : kind] as const),
		);
	}
	const initErrorReplaces = hasInitErrors && matches(INIT_ERROR);
	if (initErrorReplaces) replaceKeys.add(INIT_ERROR);
	return { ...diff, changed: diff.changed || initErrorReplaces, replaceKeys: [...replaceKeys], detailed };
}

function toReplace(kind: PropertyChange): PropertyChange {
	return kind.endsWith("-replace") ? kind : (`${kind}-replace` as PropertyChange);
}

/** What the program's view would be of changes that a refresh found in the world: additions are removals. */
export function invert(diff: Diff): Diff {
	const turned: { [kind in PropertyChange]: PropertyChange } = {
		add: "delete",
		"add-replace": "delete-replace",
		delete: "add",
		"delete-replace": "add-replace",
		update: "update",
		"update-replace": "update-replace",
	};
	const detailed =
		diff.detailed === undefined
			? undefined
			: new Map([...diff.detailed].map(([path, kind]) => [path, turned[kind]] as const));
	return { ...diff, detailed };
}
