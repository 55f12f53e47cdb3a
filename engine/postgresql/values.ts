import type { Properties } from "../provider";

/** A property as text; an absent one is the empty text. */
export function text(properties: Properties, name: string): string {
	const value = properties[name];
	return typeof value === "string" ? value : "";
}

/** A property as truth value; an absent one is false. */
export function flag(properties: Properties, name: string): boolean {
	return properties[name] === true;
}

/** A property as number; an absent one is 0. */
export function whole(properties: Properties, name: string): number {
	const value = properties[name];
	return typeof value === "number" ? value : 0;
}

/** A property as list of texts; an absent one is empty. */
export function texts(properties: Properties, name: string): string[] {
	const value = properties[name];
	return Array.isArray(value) ? value.filter((element) => typeof element === "string") : [];
}
