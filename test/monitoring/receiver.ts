import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
	method: string | undefined;
	path: string | undefined;
	headers: IncomingHttpHeaders;
	body: string;
}

/** What a receiver does with a request: the status it answers with, or nothing at all. */
export type Behaviour = number | "hang";

/** A receiver of notifications, on a port of its own. */
export class Receiver {
	readonly requests: ReceivedRequest[] = [];

	private constructor(private readonly server: Server) {}

	/** @param behaviours of the first request, the second and so on; the last one is that of all further ones */
	static async start(...behaviours: Behaviour[]): Promise<Receiver> {
		const server = createServer();
		const receiver = new Receiver(server);
		server.on("request", (request, response) => {
			let body = "";
			request.setEncoding("utf8").on("data", (text: string) => {
				body += text;
			});
			request.on("end", () => {
				const behaviour = behaviours[receiver.requests.length] ?? behaviours.at(-1) ?? 204;
				const { method, url: path, headers } = request;
				receiver.requests.push({ method, path, headers, body });
				if (behaviour !== "hang") {
					response.writeHead(behaviour, { location: "/elsewhere" }).end();
				}
			});
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		return receiver;
	}

	get host(): string {
		return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	get url(): string {
		return `http://${this.host}/hooks/T0/secret-part?token=secret-too`;
	}

	/** The bodies of all requests, read. */
	get messages(): unknown[] {
		return this.requests.map(({ body }) => JSON.parse(body));
	}

	async stop(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}
}
