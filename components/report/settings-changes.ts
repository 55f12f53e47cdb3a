import { configKeys, secretConfigKeys } from "../settings/schema";
import { code, table } from "./markdown";
import type { StackFile } from "./stack-file";

const NOTHING = "–";
const SECRET = "a secret";
const PLAIN_SECRET = "a secret in plain text";
const OTHER = "a value that is not shown";

/**
 * The keys of a stack file that differ from a base. Values are shown of the settings that are known not to be secret, and of
 * nothing else: what is encrypted, or should have been, or is another program's, stays in the file.
 */
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
	if (value === undefined) {
		return secrets[key] === undefined ? NOTHING : SECRET;
	}
	const setting = key.slice(key.indexOf(":") + 1);
	if (secretConfigKeys.some((secret) => secret === setting)) {
		return PLAIN_SECRET;
	}
	return configKeys.some((known) => known === setting) ? code(value) : OTHER;
}
