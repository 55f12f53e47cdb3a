import { z } from "zod";

/** What is asked of an environment, in the order in which it is told. */
export const CHECKS = [
	"database_connectivity",
	"api_endpoints",
	"performance",
	"replication_lag",
	"connections",
	"migrations",
] as const;
export type CheckName = (typeof CHECKS)[number];

/** From the best to the worst. */
export const STATUSES = ["PASS", "WARNING", "FAIL"] as const;
export type CheckStatus = (typeof STATUSES)[number];

export const checkResultSchema = z.object({
	check: z.enum(CHECKS),
	status: z.enum(STATUSES),
	/** What was measured; without it nothing could be. */
	figure: z.number().optional(),
	unit: z.string().optional(),
	/** In the operator's words: what the figure is of, and for anything but PASS the mend. */
	detail: z.string(),
});

/** What one check has found. */
export type CheckResult = z.infer<typeof checkResultSchema>;

/** That of the worst check: one that fails makes the whole fail. */
export function overallStatus(results: readonly Pick<CheckResult, "status">[]): CheckStatus {
	const worst = Math.max(0, ...results.map(({ status }) => STATUSES.indexOf(status)));
	return STATUSES[worst] ?? "FAIL";
}

/** PASS below the first limit, WARNING from it on, FAIL from the second on. */
export function judge(figure: number, limits: { warning: number; fail: number }): CheckStatus {
	return figure >= limits.fail ? "FAIL" : figure >= limits.warning ? "WARNING" : "PASS";
}

/** Such as `WARNING performance 1203 ms: …`. */
export function describeCheck({ check, status, figure, unit, detail }: CheckResult): string {
	const measured = figure === undefined ? "" : ` ${figure} ${unit ?? ""}`.trimEnd();
	return `${status} ${check}${measured}: ${detail}`;
}

/** Figures are told with one digit behind the point. */
export function rounded(figure: number): number {
	return Math.round(figure * 10) / 10;
}
