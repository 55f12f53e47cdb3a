/** A stack's configuration, `Pulumi.<stack>.yaml`. */
import { join } from "node:path";
import { Document, isMap, parseDocument } from "yaml";
import { EngineError, messageOf } from "./errors";
import { readText, writeAtomically } from "./files";
import type { Project } from "./project";
import type { Crypter } from "./secrets";
import { byBytes } from "./state";
import type { Json, JsonMap } from "./wire";

/** One setting as the program gets it. */
export interface Setting {
	/** `<namespace>:<name>`. */
	key: string;
	/** The text that the program reads; objects and arrays as JSON, with secrets in the clear. */
	value: string;
	secret: boolean;
	/** As it stands in the file, secrets encrypted: for the history. */
	raw: Json;
}

/** The stack file: comments and order survive changes. Written only by `set`, `remove` and `setSalt`. */
export class StackConfig {
	private constructor(
		readonly file: string,
		private readonly project: string,
		private readonly document: Document,
	) {}

	/** @throws EngineError naming file and line when it is not YAML, or not a map. */
	static load(project: Project, stack: string, file?: string): StackConfig {
		const path = file ?? join(project.configDirectory, `Pulumi.${stack}.yaml`);
		const text = readText(path);
		const document = text === undefined ? new Document({}) : parseDocument(text);
		const broken = document.errors[0];
		if (broken !== undefined) throw new EngineError(`${path}: ${broken.message}`);
		if (document.contents === null) return new StackConfig(path, project.name, new Document({}));
		if (!isMap(document.contents))
			throw new EngineError(`${path}: expected settings by name, found something else`);
		const config = document.get("config");
		if (config !== undefined && config !== null && !isMap(config)) {
			throw new EngineError(`${path}: config must be a map of settings`);
		}
		return new StackConfig(path, project.name, document);
	}

	get salt(): string | undefined {
		const salt = this.document.get("encryptionsalt");
		return typeof salt === "string" && salt !== "" ? salt : undefined;
	}

	private entries(): [key: string, value: Json][] {
		const config = (this.document.toJS() as { config?: JsonMap | null }).config ?? {};
		return Object.entries(config).map(([key, value]) => [qualify(key, this.project), value]);
	}

	/** Whether any value is encrypted. */
	get hasSecrets(): boolean {
		return this.entries().some(([, value]) => hasSecure(value));
	}

	/**
	 * All settings by key, secrets decrypted.
	 * @throws EngineError naming the key of a secret that cannot be decrypted.
	 */
	settings(crypter: Crypter | undefined): Setting[] {
		return this.entries()
			.map(([key, raw]) => {
				const secret = hasSecure(raw);
				let open: Json;
				try {
					open = decrypt(raw, crypter);
				} catch (error) {
					throw new EngineError(`could not decrypt configuration value '${key}': ${messageOf(error)}`);
				}
				return {
					key,
					value: textOf(open),
					secret,
					raw: isSecure(raw) || typeof raw === "object" ? raw : textOf(raw),
				};
			})
			.sort((a, b) => byBytes(a.key, b.key));
	}

	/** Sets a value and writes the file; with a crypter it is encrypted, and the salt written with it. */
	set(key: string, value: string, crypter?: Crypter): void {
		const full = qualify(key, this.project);
		const node = crypter === undefined ? value : { secure: crypter.encrypt(value) };
		if (crypter !== undefined) this.document.set("encryptionsalt", crypter.salt);
		// A key that stands there as it will be written keeps its place; other spellings of it go.
		this.removeAll(full, full);
		if (!isMap(this.document.get("config"))) this.document.set("config", this.document.createNode({}));
		this.document.setIn(["config", full], this.document.createNode(node));
		this.write();
	}

	/** Removes a value and writes the file. */
	remove(key: string): void {
		if (this.removeAll(qualify(key, this.project))) this.write();
	}

	private removeAll(full: string, kept?: string): boolean {
		const config = this.document.get("config");
		if (!isMap(config)) return false;
		const names = Object.keys(config.toJSON()).filter(
			(name) => qualify(name, this.project) === full && name !== kept,
		);
		for (const name of names) config.delete(name);
		if (config.items.length === 0) this.document.delete("config");
		return names.length > 0;
	}

	private write(): void {
		writeAtomically(this.file, this.document.toString());
	}
}

/** A bare key belongs to the project. */
export function qualify(key: string, project: string): string {
	const parts = key.split(":");
	if (parts.length === 1) return `${project}:${key}`;
	return parts.length === 3 && parts[1] === "config" ? `${parts[0]}:${parts[2]}` : key;
}

function isSecure(value: Json): value is { secure: string } {
	return (
		typeof value === "object" &&
		value !== null &&
		!Array.isArray(value) &&
		Object.keys(value).length === 1 &&
		typeof value.secure === "string"
	);
}

function hasSecure(value: Json): boolean {
	if (isSecure(value)) return true;
	return (
		typeof value === "object" &&
		value !== null &&
		Object.values(value).some((part) => hasSecure(part as Json))
	);
}

function decrypt(value: Json, crypter: Crypter | undefined): Json {
	if (isSecure(value)) {
		if (crypter === undefined) throw new EngineError("the stack has no secrets provider");
		return crypter.decrypt(value.secure);
	}
	if (Array.isArray(value)) return value.map((element) => decrypt(element, crypter));
	if (typeof value === "object" && value !== null) {
		return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, decrypt(part, crypter)]));
	}
	return value;
}

/** Text as it is, anything else as JSON. */
function textOf(value: Json): string {
	if (typeof value === "string") return value;
	return value === null ? "" : JSON.stringify(value);
}
