import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/** Meant for one connection only (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
	"connection",
	"keep-alive",
	"proxy-authenticate",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
]);

const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/**
 * Prepares a client's headers for a target, in place: hop-by-hop fields go, X-Forwarded-* come.
 * `transfer-encoding` stays, as it frames the body; of a websocket, what asks for the upgrade stays too.
 */
export function forwardRequestHeaders(request: IncomingMessage, kind: "http" | "websocket"): void {
	const { headers, socket } = request;
	const named = connectionTokens(headers.connection);
	for (const name of [...HOP_BY_HOP, ...named]) {
		if (name !== "transfer-encoding" && (kind === "http" || !["connection", "upgrade"].includes(name))) {
			delete headers[name];
		}
	}
	if (kind === "websocket") {
		headers.connection = "Upgrade";
	}
	// Answered by this server already.
	delete headers.expect;
	setForwarded(headers, "for", append(headers["x-forwarded-for"], socket.remoteAddress));
	setForwarded(headers, "host", headers.host);
	setForwarded(headers, "port", socket.localPort?.toString());
	setForwarded(headers, "proto", kind === "http" ? "http" : "ws");
}

function setForwarded(headers: IncomingHttpHeaders, name: string, value: string | undefined): void {
	if (value === undefined) {
		delete headers[`x-forwarded-${name}`];
	} else {
		headers[`x-forwarded-${name}`] = value;
	}
}

function append(list: string | string[] | undefined, address: string | undefined): string | undefined {
	return [list, address].flat().filter(Boolean).join(", ") || undefined;
}

/** A target's raw headers (name, value, name, value …) without the hop-by-hop ones. */
export function forwardedResponseHeaders(
	rawHeaders: readonly string[],
	connection: string | undefined,
): string[] {
	const named = connectionTokens(connection);
	const kept: string[] = [];
	for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
		const name = rawHeaders[index] ?? "";
		const lower = name.toLowerCase();
		if (!HOP_BY_HOP.has(lower) && !named.includes(lower)) {
			kept.push(name, rawHeaders[index + 1] ?? "");
		}
	}
	return kept;
}

function connectionTokens(connection: string | undefined): string[] {
	return (connection ?? "")
		.split(",")
		.map((token) => token.trim().toLowerCase())
		.filter((token) => token !== "");
}

/** Whether a request announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
	return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Whether sending the request again can do no harm and is possible: idempotent, and no body was consumed. */
export function isRepeatable(request: IncomingMessage): boolean {
	return !hasBody(request) && IDEMPOTENT.has(request.method ?? "");
}
