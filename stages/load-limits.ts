export interface LoadLimits {
	/** Milliseconds that 99 of 100 requests may take. */
	p99Ms: number;
	/** Failed requests of a hundred. */
	maxErrorPercent: number;
	/** Fewer prove nothing. */
	minRequests: number;
}

export interface MeasuredLoad {
	requests: number;
	failed: number;
	p99Ms: number;
}

/** What a load has shown: one judgement per limit, with the problem where it was not kept. */
export function judgeLoad(measured: MeasuredLoad, limits: LoadLimits): { name: string; problem?: string }[] {
	const { requests, failed, p99Ms } = measured;
	const all = requests + failed;
	const errorPercent = all === 0 ? 0 : (failed / all) * 100;
	const judged: [name: string, kept: boolean, problem: string][] = [
		[
			`${requests} requests were answered`,
			requests >= limits.minRequests,
			`at least ${limits.minRequests} are needed to say anything: raise --seconds or --connections`,
		],
		[
			`the 99th percentile is ${p99Ms} ms`,
			p99Ms <= limits.p99Ms,
			`at most ${limits.p99Ms} ms are allowed (--p99-ms)`,
		],
		[
			`${Math.round(errorPercent * 100) / 100} % of the requests failed`,
			errorPercent <= limits.maxErrorPercent,
			`at most ${limits.maxErrorPercent} % are allowed (--max-error-percent); ${failed} failed`,
		],
	];
	return judged.map(([name, kept, problem]) => (kept ? { name } : { name, problem }));
}
