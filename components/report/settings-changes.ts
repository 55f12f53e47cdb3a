import { code, table } from "./markdown";
import type { StackFile } from "./stack-file";

const NOTHING = "–";
const SECRET = "a secret";

/** The keys of a stack file that differ from a base, without what is secret. */
export function settingsChanges(before: StackFile, now: StackFile): string {
	const keys = [
		...new Set(
			[before, now].flatMap(({ values, secrets }) => [...Object.keys(values), ...Object.keys(secrets)]),
		),
	].sort();
	const rows = keys.flatMap((key) => {
		const same = before.values[key] === now.values[key] && before.secrets[key] === now.secrets[key];
		return same ? [] : [[code(key), shown(before, key), shown(now, key)]];
	});
	return rows.length === 0 ? "None." : table(["key", "before", "now"], rows);
}

function shown({ values, secrets }: StackFile, key: string): string {
	const value = values[key];
	return value !== undefined ? code(value) : secrets[key] !== undefined ? SECRET : NOTHING;
}
