import assert from "node:assert/strict";
import { parseSettings, SettingsError } from "../../components/settings/settings";

export const project = "camera-counting";
const valid: Record<string, string> = {
	environment: "development",
	platform: "local",
	strategy: "in-place",
	release: "1.3.0",
};

/** What the settings are with some keys of a small stack file changed, or left out. */
export function read(changes: Record<string, string | undefined>, secretKeys: string[] = []) {
	const own = Object.entries({ ...valid, ...changes }).filter(
		(entry): entry is [string, string] => entry[1] !== undefined,
	);
	return parseSettings({
		project,
		values: {
			...Object.fromEntries(own.map(([key, value]) => [`${project}:${key}`, value])),
			"aws:region": "eu-west-1",
		},
		secretKeys,
	});
}

/** What is said against them. */
export function problems(
	changes: Record<string, string | undefined>,
	secretKeys?: string[],
): readonly string[] {
	try {
		read(changes, secretKeys);
	} catch (error) {
		assert.ok(error instanceof SettingsError);
		return error.problems;
	}
	return assert.fail("the settings were accepted");
}
