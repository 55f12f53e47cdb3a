import { readFileSync } from "node:fs";
import { lt } from "semver";
import { z } from "zod";

/** This program's own version, by its package.json. */
export function programVersion(): string {
	return z.object({ version: z.string() }).parse(JSON.parse(readFileSync("package.json", "utf8"))).version;
}

/**
 * What stands against an update by an older program than the one that deployed last: it may not know what that one made.
 *
 * @returns the sentence to refuse the update with; undefined when nothing stands against it
 */
export function programVersionFault(own: string, last: string | undefined): string | undefined {
	return last !== undefined && lt(own, last)
		? `the stack was last deployed by version ${last} of this program, and this is the older ${own}: check out a newer commit`
		: undefined;
}
