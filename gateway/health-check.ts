import { request } from "node:http";

const MAX_REASON = 300;

/**
 * Asks a target whether it is healthy, on a connection of its own.
 *
 * @param timeoutMs milliseconds until the whole check has failed
 * @returns undefined for a 2xx answer, else the reason
 */
export function checkHealth(url: URL, timeoutMs: number): Promise<HealthFailure | undefined> {
	return new Promise((resolve) => {
		const fail = (reason: string, refused = false) => resolve({ reason, refused });
		const ask = request(
			url,
			{ agent: false, signal: AbortSignal.timeout(timeoutMs), headers: { accept: "application/json" } },
			(answer) => {
				let body = "";
				answer.setEncoding("utf8");
				answer.on("data", (chunk: string) => {
					body = (body + chunk).slice(0, MAX_REASON);
				});
				answer.on("error", (error) => fail(`${url}: ${error.message}`));
				answer.on("end", () => {
					const status = answer.statusCode ?? 0;
					if (status >= 200 && status < 300) {
						resolve(undefined);
					} else {
						fail(`${url} answered ${status}: ${body}`);
					}
				});
			},
		);
		ask.on("error", (error: NodeJS.ErrnoException) => {
			const late = error.name === "AbortError" || error.code === "ABORT_ERR";
			const reason = late ? `no answer within ${timeoutMs} ms` : error.message;
			fail(`${url}: ${reason}`, error.code === "ECONNREFUSED");
		});
		ask.end();
	});
}

export interface HealthFailure {
	reason: string;
	/** Nothing listens there. */
	refused: boolean;
}
