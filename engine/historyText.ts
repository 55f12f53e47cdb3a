/** The updates of a stack as text or JSON. */
import type { UpdateRecord } from "./history";
import type { StackName } from "./project";
import type { Session } from "./session";
import type { Json } from "./wire";

function isSecure(value: Json): value is { secure: string } {
	return (
		typeof value === "object" && value !== null && !Array.isArray(value) && typeof value.secure === "string"
	);
}

/** Secret settings are shown on demand only; those of another passphrase never. */
export async function showHistory(session: Session, name: StackName, records: UpdateRecord[]): Promise<void> {
	const showSecrets = session.args.switches.has("show-secrets");
	const decrypt = showSecrets ? (await session.open(name)).configCrypter : undefined;
	const time = (seconds: number): string => new Date(seconds * 1000).toISOString();
	if (session.args.switches.has("json")) {
		const list = records.map((record) => ({
			version: record.version,
			kind: record.kind,
			startTime: time(record.startTime),
			message: record.message,
			environment: record.environment ?? {},
			config: Object.fromEntries(
				Object.entries(record.config ?? {}).map(([key, raw]) => {
					const value = raw as Json;
					if (!isSecure(value)) {
						return [key, { value: typeof value === "string" ? value : JSON.stringify(value), secret: false }];
					}
					return [
						key,
						decrypt === undefined ? { secret: true } : { value: decrypt.decrypt(value.secure), secret: true },
					];
				}),
			),
			result: record.result,
			endTime: time(record.endTime),
			...(record.resourceChanges == null ? {} : { resourceChanges: record.resourceChanges }),
		}));
		session.print(JSON.stringify(list, null, 2));
		return;
	}
	if (records.length === 0) session.print("Stack has never been updated");
	for (const record of records) {
		const changes = record.resourceChanges ?? {};
		const count = (op: string): number => changes[op] ?? 0;
		session.print(`Version: ${record.version}`);
		session.print(`UpdateKind: ${record.kind}`);
		session.print(`Status: ${record.result}`);
		session.print(`Message: ${record.message}`);
		const totals = `+${count("create")}-${count("delete")}~${count("update")} ${count("same")}`;
		session.print(`${totals} Updated ${time(record.startTime)} took ${record.endTime - record.startTime}s`);
		for (const [key, value] of Object.entries(record.environment ?? {}).sort())
			session.print(`    ${key}: ${value}`);
		session.print("");
	}
}
