import { createHash } from "node:crypto";
import { identifierOf } from "../../release/names";

/** With a colour and what follows it, names of databases and roles stay as short as AWS wants them. */
const LONGEST_PREFIX = 40;
const HASH_LENGTH = 6;

/** Begins the names of what is a stack's in its account. */
export function stackPrefix(stack: string): string {
	return shortName(identifierOf(stack).replaceAll("_", "-"), LONGEST_PREFIX);
}

/**
 * A name of at most so many characters. One that is cut gets a hash of the whole, so that it is no other one's, and none
 * ends with a hyphen or has two in a row, which RDS and load balancers refuse.
 */
export function shortName(name: string, longest: number): string {
	const whole = name.replace(/-+$/, "");
	if (whole.length <= longest) {
		return whole;
	}
	const hash = createHash("sha256").update(whole).digest("hex").slice(0, HASH_LENGTH);
	return `${whole.slice(0, longest - HASH_LENGTH - 1).replace(/-+$/, "")}-${hash}`;
}
