/** config, and what is below it. */
import { text as readAll } from "node:stream/consumers";
import { requireOperands } from "./arguments";
import { qualify, type Setting } from "./config";
import { EngineError, EXIT } from "./errors";
import type { Session } from "./session";
import { table } from "./table";
import { HIDDEN } from "./valueText";

async function settingsOf(session: Session, decrypt: boolean): Promise<Setting[]> {
	const name = session.stackName();
	if (decrypt) return (await session.open(name)).settings;
	const config = session.config(name);
	return config.hasSecrets ? (await session.open(name)).settings : config.settings(undefined);
}

export async function configList(session: Session): Promise<number> {
	const { operands, switches } = session.args;
	requireOperands(operands, 0, 0);
	const showSecrets = switches.has("show-secrets");
	const settings = await settingsOf(session, showSecrets);
	if (switches.has("json")) {
		const entries = settings.map(({ key, value, secret }) => [
			key,
			{ ...(secret && !showSecrets ? {} : { value }), secret },
		]);
		session.print(JSON.stringify(Object.fromEntries(entries), null, 2));
		return EXIT.success;
	}
	const own = `${session.project.name}:`;
	const rows = settings.map(({ key, value, secret }) => [
		key.startsWith(own) ? key.slice(own.length) : key,
		secret && !showSecrets ? HIDDEN : value,
	]);
	for (const line of table(["KEY", "VALUE"], rows)) session.print(line);
	return EXIT.success;
}

export async function configGet(session: Session): Promise<number> {
	const { operands, switches } = session.args;
	requireOperands(operands, 1, 1);
	const name = session.stackName();
	const key = qualify(operands[0]!, session.project.name);
	const setting = (await settingsOf(session, false)).find((one) => one.key === key);
	if (setting === undefined) {
		throw new EngineError(`configuration key '${operands[0]}' not found for stack '${name.stack}'`);
	}
	const { value, secret } = setting;
	session.print(switches.has("json") ? JSON.stringify({ value, secret }, null, 2) : value);
	return EXIT.success;
}

export async function configSet(session: Session): Promise<number> {
	const { operands, switches } = session.args;
	requireOperands(operands, 1, 2);
	if (switches.has("path"))
		throw new EngineError("the embedded engine sets whole values only, no paths into them");
	const name = session.stackName();
	const value = operands[1] ?? (await readAll(session.io.stdin)).replace(/\r?\n$/, "");
	if (!switches.has("secret")) {
		if (!switches.has("plaintext") && looksSecret(operands[0]!, value)) {
			throw new EngineError(
				`config value for '${operands[0]}' looks like a secret; rerun with --secret to encrypt it, or --plaintext if you ` +
					"meant to store in plaintext",
				EXIT.configuration,
			);
		}
		session.config(name).set(operands[0]!, value);
		return EXIT.success;
	}
	const { config, configCrypter } = await session.open(name);
	config.set(operands[0]!, value, configCrypter);
	return EXIT.success;
}

/** Long random-looking text under a telling name. */
function looksSecret(key: string, value: string): boolean {
	const telling = /(password|passwd|token|secret|private|credential)/i.test(key);
	return telling && value.length >= 16 && /\d/.test(value) && /[A-Za-z]/.test(value) && !/\s/.test(value);
}

export async function configRemove(session: Session): Promise<number> {
	requireOperands(session.args.operands, 1, 1);
	session.config(session.stackName()).remove(session.args.operands[0]!);
	return EXIT.success;
}
