import type { LinkState } from "../replication/link-state";
import { type CheckResult, type CheckStatus, STATUSES } from "./check-result";

/** A link between two colours, as it was found. */
export interface FoundLink {
	/** Such as `green-2 follows blue-1`. */
	title: string;
	state: LinkState;
}

/** Judges the links between the colours: one that does not go on fails. */
export function checkReplication(
	links: readonly FoundLink[],
	limits: { lagWarningBytes: number; lagWarningSeconds: number; lagFailSeconds: number },
): CheckResult {
	const check = "replication_lag";
	if (links.length === 0) {
		return { check, status: "PASS", figure: 0, unit: "bytes", detail: "there is no other colour to follow" };
	}
	const found = links.map(({ title, state }) => ({
		status: statusOf(state, limits),
		text: told(title, state),
	}));
	const worst = Math.max(...found.map(({ status }) => STATUSES.indexOf(status)));
	const lag = Math.max(...links.map(({ state }) => state.lagBytes));
	return {
		check,
		status: STATUSES[worst] ?? "FAIL",
		...(Number.isFinite(lag) && { figure: lag, unit: "bytes" }),
		detail: found.map(({ text }) => text).join("; "),
	};
}

function statusOf(
	{ fault, streaming, lagBytes, lagSeconds = 0 }: LinkState,
	limits: { lagWarningBytes: number; lagWarningSeconds: number; lagFailSeconds: number },
): CheckStatus {
	if (fault !== undefined || !streaming || lagSeconds >= limits.lagFailSeconds) {
		return "FAIL";
	}
	return lagBytes > limits.lagWarningBytes || lagSeconds >= limits.lagWarningSeconds ? "WARNING" : "PASS";
}

function told(title: string, { fault, streaming, lagBytes, lagSeconds }: LinkState): string {
	if (fault !== undefined) {
		return `${title} no more: ${fault}`;
	}
	if (!streaming) {
		return `${title}, but is not connected`;
	}
	return `${title}, ${lagBytes} bytes${lagSeconds === undefined ? "" : ` and ${lagSeconds.toFixed(1)} s`} behind`;
}
