import type { Audit } from "./verify";

/** What an audit has found, for people. */
export function auditText({ rows, head, faults }: Audit): string {
	const last = head === undefined ? "" : `\nhead: row ${head.id}, ${head.hash}`;
	return faults.length === 0
		? `the audit log is whole: ${rows} rows, and the catalog is as they say${last}`
		: `the audit log is broken, or the catalog is not as it says; ${rows} rows fit before that:\n${faults
				.map((fault) => `  - ${fault}`)
				.join("\n")}${last}`;
}
