import { Agent, type IncomingHttpHeaders, request } from "node:http";

export interface Reply {
	status: number;
	headers: IncomingHttpHeaders;
	body: string;
}

/** A client that keeps its connections; `connections` at most. */
export class HttpClient {
	private readonly agent: Agent;

	constructor(
		private readonly base: string,
		connections = 16,
	) {
		this.agent = new Agent({ keepAlive: true, maxSockets: connections });
	}

	send(
		path: string,
		options: {
			method?: string;
			headers?: Record<string, string>;
			body?: string | Buffer;
			signal?: AbortSignal;
		} = {},
	): Promise<Reply> {
		const { body, ...rest } = options;
		return new Promise((resolve, reject) => {
			const outgoing = request(
				this.base + path,
				{ agent: this.agent, timeout: 20_000, ...rest },
				(incoming) => {
					const chunks: Buffer[] = [];
					incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
					incoming.on("error", reject);
					incoming.on("end", () =>
						resolve({
							status: incoming.statusCode ?? 0,
							headers: incoming.headers,
							body: Buffer.concat(chunks).toString(),
						}),
					);
				},
			);
			outgoing.on("timeout", () => outgoing.destroy(new Error(`${path}: silent for 20 s`)));
			outgoing.on("error", reject);
			outgoing.end(body);
		});
	}

	close(): void {
		this.agent.destroy();
	}
}
