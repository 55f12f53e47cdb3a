import { parse } from "yaml";
import { z } from "zod";

const secureSchema = z.strictObject({ secure: z.string() });
const fileSchema = z.object({ config: z.record(z.string(), z.unknown()).default({}) });

/** A stack file's config as Pulumi hands it to a program, but for secrets, which stay encrypted. */
export interface StackFile {
	/** Full key → text. */
	values: Record<string, string>;
	/** Full key → ciphertext. */
	secrets: Record<string, string>;
}

/**
 * Reads a stack file.
 *
 * @throws Error when it is no YAML, or has no such config
 */
export function readStackFile(text: string): StackFile {
	const { config } = fileSchema.parse(parse(text) ?? {});
	const values: Record<string, string> = {};
	const secrets: Record<string, string> = {};
	for (const [key, value] of Object.entries(config)) {
		const secure = secureSchema.safeParse(value);
		if (secure.success) {
			secrets[key] = secure.data.secure;
		} else {
			values[key] = typeof value === "object" ? JSON.stringify(value) : String(value);
		}
	}
	return { values, secrets };
}
