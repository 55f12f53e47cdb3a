/** The passphrase secrets provider, in the format of Pulumi's own. */
import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { EngineError, messageOf } from "./errors";

const derive = promisify(pbkdf2);
const ROUNDS = 1_000_000;
const PROOF = "pulumi";

/** Encrypts with AES-256-GCM; ciphertexts read `v1:<nonce>:<encrypted text and tag>`, both base64. */
export class Crypter {
	constructor(
		private readonly key: Buffer,
		/** The salt line that the stack file and the state keep. */
		readonly salt: string,
	) {}

	encrypt(plaintext: string): string {
		return encryptWith(this.key, plaintext);
	}

	/** @throws EngineError when the text was encrypted with another key, or is damaged. */
	decrypt(ciphertext: string): string {
		return decryptWith(this.key, ciphertext);
	}
}

/** What reads encrypted values. */
export type Decrypter = Pick<Crypter, "decrypt">;

/** Reads each secret as the empty object, as the Pulumi CLI does those of a stack whose passphrase is another one. */
export const eliding: Decrypter = { decrypt: () => "{}" };

/** The passphrase is not the one that the secrets were encrypted under. */
export class WrongPassphrase extends EngineError {}

function encryptWith(key: Buffer, plaintext: string): string {
	const nonce = randomBytes(12);
	const cipher = createCipheriv("aes-256-gcm", key, nonce);
	const body = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]);
	return `v1:${nonce.toString("base64")}:${body.toString("base64")}`;
}

function decryptWith(key: Buffer, ciphertext: string): string {
	const [version, nonce, encoded, ...rest] = ciphertext.split(":");
	if (version !== "v1" || nonce === undefined || encoded === undefined || rest.length > 0) {
		throw new EngineError("bad value: an encrypted value must read v1:<nonce>:<text>");
	}
	const body = Buffer.from(encoded, "base64");
	const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
	decipher.setAuthTag(body.subarray(-16));
	try {
		return decipher.update(body.subarray(0, -16), undefined, "utf8") + decipher.final("utf8");
	} catch {
		throw new EngineError(
			"[1] failed to decrypt: the value was encrypted with another passphrase, or is damaged",
		);
	}
}

/** Keys that this process has derived already: each costs a third of a second. */
const derived = new Map<string, Promise<Buffer>>();

function keyFor(passphrase: string, salt: Buffer): Promise<Buffer> {
	const name = `${salt.toString("base64")}:${passphrase}`;
	let key = derived.get(name);
	if (key === undefined) {
		key = derive(passphrase, salt, ROUNDS, 32, "sha256");
		derived.set(name, key);
	}
	return key;
}

/**
 * Opens the crypter that a salt line describes.
 * @throws WrongPassphrase `incorrect passphrase` when it does not fit.
 */
export async function openCrypter(passphrase: string, saltLine: string): Promise<Crypter> {
	const [version, salt, ...proof] = saltLine.split(":");
	if (salt === undefined || proof.length === 0) throw new EngineError("malformed encryption salt");
	if (version !== "v1") throw new EngineError(`unknown version ${version} of the encryption salt`);
	const key = await keyFor(passphrase, Buffer.from(salt, "base64"));
	let opened = "";
	try {
		opened = decryptWith(key, proof.join(":"));
	} catch (error) {
		if (!(error instanceof EngineError)) throw error;
	}
	if (opened !== PROOF) throw new WrongPassphrase("incorrect passphrase");
	return new Crypter(key, saltLine);
}

/** A crypter with a fresh salt. */
export async function newCrypter(passphrase: string): Promise<Crypter> {
	const salt = randomBytes(8);
	const key = await keyFor(passphrase, salt);
	return new Crypter(key, `v1:${salt.toString("base64")}:${encryptWith(key, PROOF)}`);
}

/**
 * The passphrase that the environment gives.
 * @throws EngineError when it gives none, or names a file that cannot be read.
 */
export function passphraseFrom(env: NodeJS.ProcessEnv, cwd: string): string {
	if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) return env.PULUMI_CONFIG_PASSPHRASE;
	const file = env.PULUMI_CONFIG_PASSPHRASE_FILE;
	if (file !== undefined && file !== "") {
		try {
			return readFileSync(resolve(cwd, file), "utf8").trim();
		} catch (error) {
			throw new EngineError(`unable to read PULUMI_CONFIG_PASSPHRASE_FILE: ${messageOf(error)}`);
		}
	}
	throw new EngineError(
		"passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
	);
}
