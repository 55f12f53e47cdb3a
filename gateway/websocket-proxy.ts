import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Logger } from "pino";
import {
	type GatewayError,
	NO_TARGET,
	NOT_A_WEBSOCKET,
	QUEUE_FULL,
	sendErrorToSocket,
	targetUnhealthy,
	upstreamFailed,
} from "./answers";
import { forwardRequestHeaders } from "./headers";
import type { HttpProxy } from "./http-proxy";
import type { Router } from "./router";
import type { Target } from "./target";

/** Passes websockets to the router's active target, where they stay until one side ends them. */
export class WebSocketProxy {
	private readonly pending = new Map<Socket, Target>();

	constructor(
		private readonly proxy: HttpProxy,
		private readonly router: Router,
		private readonly log: Logger,
	) {
		proxy.on("error", (error, _, client) => this.fail(client as Socket, error));
		proxy.on("proxyReqWs", (upstream, _, client) => {
			upstream.once("upgrade", () => this.pending.delete(client));
		});
	}

	/** Serves one request for an upgrade, now or when the hold ends. */
	serve(request: IncomingMessage, socket: Socket, head: Buffer): void {
		const refuse = (problem: GatewayError) => sendErrorToSocket(socket, problem);
		socket.on("error", (error) => this.log.debug({ reason: error.message }, "a websocket's client failed"));
		if (request.headers.upgrade?.toLowerCase() !== "websocket") {
			refuse(NOT_A_WEBSOCKET);
			return;
		}
		const giveUp = this.router.admission.admit(
			() => this.start(request, socket, head, refuse),
			() => refuse(QUEUE_FULL),
		);
		socket.once("close", giveUp);
	}

	private start(
		request: IncomingMessage,
		socket: Socket,
		head: Buffer,
		refuse: (problem: GatewayError) => void,
	): void {
		const target = this.router.active;
		if (target === undefined) {
			refuse(NO_TARGET);
			return;
		}
		if (target.isUnhealthy) {
			refuse(targetUnhealthy(target));
			return;
		}
		target.adopt(socket);
		this.pending.set(socket, target);
		socket.once("close", () => this.pending.delete(socket));
		forwardRequestHeaders(request, "websocket");
		void this.proxy.ws(request, socket, { target: target.url }, head);
	}

	/** A websocket that was open just ends; one that was not gets an answer. */
	private fail(client: Socket, error: Error): void {
		const target = this.pending.get(client);
		if (target !== undefined && client.writable) {
			this.log.warn({ target: target.name, reason: error.message }, "websocket failed");
			sendErrorToSocket(client, upstreamFailed(target, error));
		}
	}
}
