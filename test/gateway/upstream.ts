import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A real HTTP server that says its name, unless its handler is replaced. */
export class Upstream {
	ready = true;
	/** Requests that came in, health checks not counted. */
	received = 0;
	readonly server = createServer({ keepAliveTimeout: 75_000 }, (request, response) =>
		this.answer(request, response),
	);

	private constructor(
		readonly name: string,
		public handle: Handler,
	) {}

	static async start(name: string, handle?: Handler, port = 0): Promise<Upstream> {
		const upstream = new Upstream(name, handle ?? ((_, response) => response.end(name)));
		upstream.server.listen(port, "127.0.0.1");
		await once(upstream.server, "listening");
		return upstream;
	}

	get port(): number {
		return (this.server.address() as AddressInfo).port;
	}

	get url(): string {
		return `http://127.0.0.1:${this.port}`;
	}

	private answer(request: IncomingMessage, response: ServerResponse): void {
		if (request.url === "/readyz") {
			response.writeHead(this.ready ? 200 : 503).end(this.ready ? "ready" : "out of order");
			return;
		}
		this.received += 1;
		this.handle(request, response);
	}

	/** Answers each upgrade by repeating what comes in. */
	echoWebSockets(): void {
		this.server.on("upgrade", (request, socket: Socket) => {
			socket.on("error", () => socket.destroy());
			socket.write(
				`HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nx-seen: ${request.headers["x-forwarded-proto"]}\r\n\r\n`,
			);
			socket.pipe(socket);
		});
	}

	async stop(): Promise<void> {
		if (this.server.listening) {
			const closed = once(this.server, "close");
			this.server.close();
			this.server.closeAllConnections();
			await closed;
		}
	}
}
