import { execFile } from "node:child_process";
import { z } from "zod";

const TIMEOUT_MS = 60_000;

const auditSchema = z.object({
	vulnerabilities: z.record(
		z.string(),
		z.object({ severity: z.string(), range: z.string(), fixAvailable: z.unknown() }),
	),
});
const errorSchema = z.object({ error: z.object({ summary: z.string() }) });

export interface PackageAudit {
	findings: string[];
	/** Why nothing is known, where the registry did not answer. */
	unknown?: string;
}

/** Asks the registry for known weaknesses of the packages that a deployment runs with. */
export async function auditPackages(directory: string): Promise<PackageAudit> {
	const args = ["audit", "--omit=dev", "--audit-level=high", "--json"];
	const { output, failure } = await new Promise<{ output: string; failure: string }>((resolve) => {
		execFile(
			"npm",
			args,
			{ cwd: directory, timeout: TIMEOUT_MS, maxBuffer: 1 << 26 },
			(error, stdout, stderr) => resolve({ output: stdout, failure: stderr.trim() || error?.message || "" }),
		);
	});
	return readAudit(output, failure);
}

/** Reads what `npm audit --json` has printed. */
export function readAudit(output: string, failure: string): PackageAudit {
	let answer: unknown;
	try {
		answer = JSON.parse(output);
	} catch {
		return { findings: [], unknown: `npm audit gave no answer: ${firstLine(failure)}` };
	}
	const refused = errorSchema.safeParse(answer);
	if (refused.success) {
		return { findings: [], unknown: `npm audit gave no answer: ${firstLine(refused.data.error.summary)}` };
	}
	const audit = auditSchema.safeParse(answer);
	if (!audit.success) {
		return { findings: [], unknown: "npm audit gave an answer that is not known here" };
	}
	const grave = Object.entries(audit.data.vulnerabilities).filter(([, { severity }]) =>
		["high", "critical"].includes(severity),
	);
	return {
		findings: grave.map(
			([name, { severity, range, fixAvailable }]) =>
				`${name} ${range} has a weakness of ${severity} severity: ${
					fixAvailable === false ? "there is no fix yet; replace it, or wait for one" : "run npm audit fix"
				}`,
		),
	};
}

function firstLine(text: string): string {
	return text.split("\n")[0] || "no reason given";
}
