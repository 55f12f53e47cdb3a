import type { FastifyReply, FastifyRequest } from "fastify";
import { isLoopback } from "./options";

const HEADERS = {
	"content-security-policy":
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	"x-content-type-options": "nosniff",
	"x-frame-options": "DENY",
	"referrer-policy": "no-referrer",
	"cross-origin-opener-policy": "same-origin",
	"cross-origin-resource-policy": "same-origin",
	"cache-control": "no-store",
};

/** What every answer tells the browser. */
export async function setHeaders(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
	reply.headers(HEADERS);
}

/**
 * Refuses names that are not this machine's own. A page elsewhere can give a name of its own the address 127.0.0.1 and
 * would then be of the same origin as what listens there.
 */
export async function refuseOtherHosts(
	request: FastifyRequest,
	reply: FastifyReply,
): Promise<FastifyReply | undefined> {
	if (isLoopback(hostName(request.headers.host ?? ""))) {
		return undefined;
	}
	return reply
		.code(421)
		.type("text/plain; charset=utf-8")
		.send("This dashboard answers to localhost and 127.0.0.1 only: ask for it by one of these names.\n");
}

/** Without the port, and without the brackets of an IPv6 address. */
function hostName(host: string): string {
	return host
		.replace(/:\d+$/, "")
		.replace(/^\[(.*)\]$/, "$1")
		.toLowerCase();
}

/** Refuses what another site's page asks for behind its reader's back; a link to the dashboard is followed. */
export async function refuseOtherSites(
	request: FastifyRequest,
	reply: FastifyReply,
): Promise<FastifyReply | undefined> {
	const site = request.headers["sec-fetch-site"] ?? "none";
	const isLink = request.method === "GET" && request.headers["sec-fetch-mode"] === "navigate";
	if (site === "none" || site === "same-origin" || isLink) {
		return undefined;
	}
	return reply.code(403).type("text/plain; charset=utf-8").send("Another site may not ask for this.\n");
}
