import { createHash, createHmac, pbkdf2 as deriveWithCallback, randomBytes } from "node:crypto";
import { promisify } from "node:util";

const pbkdf2 = promisify(deriveWithCallback);
const ITERATIONS = 4096;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/**
 * What PostgreSQL stores for a password: a SCRAM-SHA-256 verifier. It is accepted in place of the password by
 * CREATE ROLE and ALTER ROLE, so that the password itself never reaches the server and its log.
 */
export async function scramVerifier(password: string, salt = randomBytes(SALT_BYTES)): Promise<string> {
	const salted = await pbkdf2(prepared(password), salt, ITERATIONS, HASH_BYTES, "sha256");
	const clientKey = createHmac("sha256", salted).update("Client Key").digest();
	const storedKey = createHash("sha256").update(clientKey).digest("base64");
	const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
	return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** Whether the text already is what the server stores. */
export function isVerifier(password: string): boolean {
	return /^SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$|^md5[0-9a-f]{32}$/.test(
		password,
	);
}

const MAPPED_TO_NOTHING =
	/\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;
const OTHER_SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;
const PROHIBITED = /\p{C}/u;

/** SASLprep (RFC 4013), which every client applies too; a password that it does not allow is taken as it is. */
function prepared(password: string): string {
	const mapped = password.replace(OTHER_SPACES, " ").replace(MAPPED_TO_NOTHING, "").normalize("NFKC");
	return mapped === "" || PROHIBITED.test(mapped) ? password : mapped;
}
