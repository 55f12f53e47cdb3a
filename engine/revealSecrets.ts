import type { Crypter } from "./secrets";
import { SECRET_SIGNATURE, SIGNATURE } from "./wire";

/** The deployment with the plain text of each secret in place of its ciphertext. */
export function revealSecrets(value: unknown, crypter: Crypter): unknown {
	if (Array.isArray(value)) return value.map((element) => revealSecrets(element, crypter));
	if (typeof value !== "object" || value === null) return value;
	const { ciphertext, ...rest } = value as Record<string, unknown>;
	if (rest[SIGNATURE] === SECRET_SIGNATURE && typeof ciphertext === "string")
		return { ...rest, plaintext: crypter.decrypt(ciphertext) };
	return Object.fromEntries(
		Object.entries(value).map(([key, element]) => [key, revealSecrets(element, crypter)]),
	);
}
