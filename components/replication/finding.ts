/** Something that an operator has to know before a colour is put in step with another. */
export interface Finding {
	/** With an `error` nothing may start; a `note` needs no mending. */
	severity: "error" | "warning" | "note";
	what: string;
	/** Empty for a note. */
	mend: string;
}

export function error(what: string, mend: string): Finding {
	return { severity: "error", what, mend };
}

export function warning(what: string, mend: string): Finding {
	return { severity: "warning", what, mend };
}

export function note(what: string): Finding {
	return { severity: "note", what, mend: "" };
}

const SEVERITIES = ["error", "warning", "note"] as const;

/** One line each, the errors first, otherwise in their order. */
export function describeFindings(findings: readonly Finding[]): string {
	return SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity))
		.map(({ severity, what, mend }) => `${severity}: ${what}${mend === "" ? "" : `; ${mend}`}`)
		.join("\n");
}

/** One colour cannot be kept in step with the other. Nothing was copied. */
export class PreflightError extends Error {
	constructor(readonly findings: readonly Finding[]) {
		super(`the idle colour cannot be kept in step with the live one:\n${describeFindings(findings)}`);
		this.name = "PreflightError";
	}
}
