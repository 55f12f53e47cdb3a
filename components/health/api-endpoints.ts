import { type CheckResult, judge, rounded } from "./check-result";
import { probe, releaseFault } from "./checks";

/** What a service answers that does not have an endpoint yet. */
const NOT_IN_THIS_RELEASE = 501;

export interface Endpoints {
	/** The service's own address, or the public one. */
	url: string;
	/** The release that has to answer. */
	release: string;
	/** Paths with their query that read something of each feature and change nothing. */
	paths: readonly string[];
}

/** The service lives, is ready, is the wanted release, and each of its features can be read. */
export async function checkEndpoints(
	{ url, release, paths }: Endpoints,
	{ slowRequestMs }: { slowRequestMs: number },
): Promise<CheckResult> {
	const own = await releaseFault(url, release);
	if (own.fault !== "") {
		return { check: "api_endpoints", status: "FAIL", detail: own.fault };
	}
	const found = [...own.probes];
	const faults: string[] = [];
	for (const path of paths) {
		const answer = await probe(url, path);
		if (answer.status === NOT_IN_THIS_RELEASE) {
			continue;
		}
		if (answer.fault === "") {
			found.push(answer);
		} else {
			faults.push(answer.fault);
		}
	}
	if (faults.length > 0) {
		return { check: "api_endpoints", status: "FAIL", detail: faults.join("; ") };
	}
	const slowest = found.reduce((left, right) => (right.ms > left.ms ? right : left));
	const status = judge(slowest.ms, { warning: slowRequestMs, fail: Number.POSITIVE_INFINITY });
	const slow =
		status === "PASS" ? "" : `, which is slow (from ${slowRequestMs} ms): look at the service's load`;
	return {
		check: "api_endpoints",
		status,
		figure: rounded(slowest.ms),
		unit: "ms",
		detail: `release ${release} answers at ${found.length} endpoints, slowest ${slowest.path}${slow}`,
	};
}
