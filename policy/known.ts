/** What stands for a text that a preview does not know yet. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value is a text, and known. */
export function isKnownText(value: unknown): value is string {
	return typeof value === "string" && value !== UNKNOWN;
}

/** A field's value, unknown or not. Reading an unknown one itself would end the rule, so it is read by its descriptor. */
export function rawValue(holder: object, key: string): unknown {
	return Object.getOwnPropertyDescriptor(holder, key)?.value;
}

/** The known texts of a list of texts, for rules that pass over what a preview does not know yet. */
export function knownTexts(holder: object, key: string): string[] {
	const list = rawValue(holder, key);
	return Array.isArray(list) ? list.filter(isKnownText) : [];
}
