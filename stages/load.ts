import autocannon from "autocannon";
import { expectAnswer, request } from "./api/request";
import { camerasSchema } from "./api/schemas";
import { judgeLoad, type LoadLimits } from "./load-limits";
import { numberOptions } from "./options";
import { runProgram } from "./report";
import { readSurroundings, serviceUrl } from "./surroundings";

const DEFAULTS = { seconds: 5, connections: 10, "p99-ms": 500, "max-error-percent": 0, "min-requests": 100 };
const REQUEST_TIMEOUT_SECONDS = 10;

/** Reads as clients read: the list of cameras, and the newest results of some of them. */
async function paths(url: string): Promise<string[]> {
	const { cameras } = expectAnswer(await request(url, "/cameras?limit=5"), 200, camerasSchema);
	const results = cameras.map(({ id }) => `/counting-results?cameraId=${id}&limit=50`);
	return ["/cameras?limit=50", ...results];
}

runProgram(async (report) => {
	const url = serviceUrl(readSurroundings(process.env));
	const options = numberOptions(process.argv.slice(2), DEFAULTS);
	const limits: LoadLimits = {
		p99Ms: options["p99-ms"],
		maxErrorPercent: options["max-error-percent"],
		minRequests: options["min-requests"],
	};
	const { latency, requests, errors, non2xx } = await autocannon({
		url,
		connections: options.connections,
		duration: options.seconds,
		timeout: REQUEST_TIMEOUT_SECONDS,
		requests: (await paths(url)).map((path) => ({ method: "GET", path })),
	});
	const measured = { requests: requests.total - non2xx, failed: errors + non2xx, p99Ms: latency.p99 };
	for (const { name, problem } of judgeLoad(measured, limits)) {
		if (problem === undefined) {
			report.pass(name);
		} else {
			report.fail(name, problem);
		}
	}
});
