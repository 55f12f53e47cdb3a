/** Property paths, `a.b[0]["c.d"]`, with `*` for any key or index. */
import { isMap, type Property, type PropertyMap, Secret, setKey } from "./values";

export type PathPart = string | number;
const ANY = "*";

/** @returns undefined when the text is no path. */
export function parsePath(text: string): PathPart[] | undefined {
	const parts: PathPart[] = [];
	const pattern = /\.?([^.[\]"]+)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]/y;
	while (pattern.lastIndex < text.length) {
		const match = pattern.exec(text);
		if (match === null) return undefined;
		if (match[1] !== undefined) parts.push(match[1]);
		else if (match[2] !== undefined) parts.push(match[2] === ANY ? ANY : Number(match[2]));
		else parts.push((match[3] ?? "").replace(/\\(.)/g, "$1"));
	}
	return parts.length > 0 ? parts : undefined;
}

export function formatPath(parts: readonly PathPart[]): string {
	return parts
		.map((part, index) => {
			if (typeof part === "number") return `[${part}]`;
			if (/^[A-Za-z_$#][\w$-]*$/.test(part)) return index === 0 ? part : `.${part}`;
			return `[${JSON.stringify(part)}]`;
		})
		.join("");
}

/** Whether a path names another one, or something around it. */
export function covers(outer: readonly PathPart[], inner: readonly PathPart[]): boolean {
	return outer.length <= inner.length && outer.every((part, index) => part === ANY || part === inner[index]);
}

/**
 * A copy of `now` in which what a path names is as it was `before`.
 * @returns undefined when the path goes through something that was added or removed.
 */
export function resetPath(
	now: PropertyMap,
	before: PropertyMap,
	path: readonly PathPart[],
): PropertyMap | undefined {
	const result = reset(now, before, path);
	return result !== undefined && isMap(result) ? result : undefined;
}

function reset(now: Property, before: Property, path: readonly PathPart[]): Property | undefined {
	if (now instanceof Secret || before instanceof Secret) {
		const inner = reset(
			now instanceof Secret ? now.element : now,
			before instanceof Secret ? before.element : before,
			path,
		);
		if (inner === undefined || !(now instanceof Secret)) return inner;
		return new Secret(inner);
	}
	const [part, ...rest] = path;
	if (part === undefined) return before;
	if (Array.isArray(now) && Array.isArray(before)) {
		const indices = part === ANY ? [...now.keys()] : [Number(part)];
		if (part === ANY && rest.length === 0) return before;
		const copy = [...now];
		for (const index of indices) {
			const next = now[index];
			const old = before[index];
			if (next === undefined || old === undefined) return undefined;
			const inner = reset(next, old, rest);
			if (inner === undefined) return undefined;
			copy[index] = inner;
		}
		return copy;
	}
	if (!isMap(now) || !isMap(before)) return undefined;
	const keys = part === ANY ? [...new Set([...Object.keys(now), ...Object.keys(before)])] : [String(part)];
	const copy: PropertyMap = { ...now };
	for (const key of keys) {
		const next = now[key];
		const old = before[key];
		if (rest.length === 0) {
			if (old === undefined) delete copy[key];
			else setKey(copy, key, old);
		} else if (next !== undefined && old !== undefined) {
			const inner = reset(next, old, rest);
			if (inner === undefined) return undefined;
			setKey(copy, key, inner);
		} else if (next !== undefined || old !== undefined) {
			return undefined;
		}
	}
	return copy;
}
