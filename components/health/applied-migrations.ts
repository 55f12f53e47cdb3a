import { type Connection, withClient } from "../database/connection";
import { compareVersions } from "../migrations/migration";
import { readRecords } from "../migrations/records";
import type { CheckResult } from "./check-result";

/** Migrations by version. */
export type ExpectedMigrations = Record<string, { name: string; checksum: string }>;

const TIMEOUT_MS = 10_000;

/** Exactly the release's migrations are applied, from the files that it knows. */
export async function checkMigrations(owner: Connection, expected: ExpectedMigrations): Promise<CheckResult> {
	const session = {
		applicationName: "deployment-health",
		connectTimeoutMs: TIMEOUT_MS,
		statementTimeoutMs: TIMEOUT_MS,
		queryTimeoutMs: TIMEOUT_MS,
	};
	const records = await withClient(owner, session, readRecords);
	const applied = new Map(records.map((record) => [record.version, record]));
	const faults: [version: string, fault: string][] = [];
	for (const [version, { name, checksum }] of Object.entries(expected)) {
		const record = applied.get(version);
		if (record === undefined) {
			faults.push([version, `${version} ${name} is not applied`]);
		} else if (record.state !== "applied") {
			faults.push([version, `${version} ${name} stopped half-way (${record.state})`]);
		} else if (record.name !== name || record.checksum !== checksum) {
			faults.push([version, `${version} ${record.name} was applied from another file than that of ${name}`]);
		}
	}
	for (const { version, name } of records) {
		if (expected[version] === undefined) {
			faults.push([version, `${version} ${name} is applied and not part of the release`]);
		}
	}
	const count = records.filter(({ state }) => state === "applied").length;
	const wanted = Object.keys(expected).length;
	const common = { check: "migrations", figure: count, unit: "migrations" } as const;
	if (faults.length === 0) {
		return { ...common, status: "PASS", detail: `all ${wanted} of the release are applied, and no other` };
	}
	const told = faults.sort(([left], [right]) => compareVersions(left, right)).map(([, fault]) => fault);
	return { ...common, status: "FAIL", detail: `${told.join("; ")}: run the update again` };
}
