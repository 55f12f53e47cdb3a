import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface HttpService {
	url: string;
	/** What each path answers; it may be changed while the service runs. */
	answers: Record<string, { status: number; body: unknown } | undefined>;
	/** Paths with their query, in the order in which they were asked. */
	asked: string[];
	stop(): Promise<void>;
}

/** A service that is healthy at a release, and answers 404 for what it was not told. */
export async function httpService(release: string): Promise<HttpService> {
	const asked: string[] = [];
	const answers: HttpService["answers"] = {
		"/healthz": { status: 200, body: { status: "ok" } },
		"/readyz": { status: 200, body: { status: "ready" } },
		"/version": { status: 200, body: { release } },
		"/cameras?limit=1": { status: 200, body: { cameras: [] } },
	};
	const server = createServer((request, response) => {
		asked.push(request.url ?? "");
		const answer = answers[request.url ?? ""] ?? { status: 404, body: { error: "no_such_endpoint" } };
		response.statusCode = answer.status;
		response.end(JSON.stringify(answer.body));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		answers,
		asked,
		stop() {
			server.closeAllConnections();
			return new Promise((resolve) => server.close(() => resolve()));
		},
	};
}
