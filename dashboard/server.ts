import cookie from "@fastify/cookie";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { Access } from "./access";
import { Feed } from "./feed";
import { refuseOtherHosts, refuseOtherSites, setHeaders } from "./guard";
import { isLoopback } from "./options";
import { readPage } from "./page-files";
import { CatalogReader, type ReaderOptions } from "./reading/catalog-reader";
import { requireAccess, sessionEnd } from "./signing-in";

export interface ServerOptions extends ReaderOptions {
	host: string;
	/** 0 lets the system pick one. */
	port: number;
	token?: string | undefined;
	/** Milliseconds from one reading of the catalog to the next. */
	intervalMs?: number;
	heartbeatMs?: number;
	/** Pages that may be open at the same time. */
	maxListeners?: number;
	/** How long somebody who has signed in stays so, in milliseconds. */
	sessionMs?: number;
}

export interface RunningDashboard {
	url: string;
	port: number;
	close(): Promise<void>;
}

const BODY_LIMIT_BYTES = 4096;
/** For a request to arrive; an answer may take as long as its page is open. */
const REQUEST_TIMEOUT_MS = 10_000;
const SESSION_MS = 12 * 3_600_000;

/**
 * Serves the page and its events until it is closed.
 *
 * @throws Error naming host and port when they cannot be listened on, or are reachable by others without a token
 */
export async function startDashboard(options: ServerOptions): Promise<RunningDashboard> {
	const { host, port, token } = options;
	if (!isLoopback(host) && token === undefined) {
		throw new Error(`others can reach ${host}: give the dashboard a token`);
	}
	const reader = new CatalogReader(options);
	const feed = new Feed({
		read: () => reader.read(),
		idle: () => reader.close(),
		intervalMs: options.intervalMs ?? 1000,
		heartbeatMs: options.heartbeatMs ?? 5000,
		maxListeners: options.maxListeners ?? 32,
	});
	const access = token === undefined ? undefined : new Access(token, options.sessionMs ?? SESSION_MS);
	const app = await createApp({ feed, host, access });
	try {
		await app.listen({ host, port });
	} catch (cause) {
		await app.close();
		const { code, message } = cause as NodeJS.ErrnoException;
		throw new Error(
			code === "EADDRINUSE"
				? `port ${port} on ${host} is taken by another program: choose another one with --port`
				: `the dashboard cannot listen on ${host}:${port}: ${message}`,
			{ cause },
		);
	}
	const [bound] = app.addresses();
	if (bound === undefined || typeof bound === "string") {
		throw new Error(`the dashboard does not listen on ${host}`);
	}
	const name = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
	return {
		url: `http://${name}:${bound.port}`,
		port: bound.port,
		async close() {
			await feed.close();
			await app.close();
		},
	};
}

interface AppOptions {
	feed: Feed;
	host: string;
	access: Access | undefined;
}

async function createApp({ feed, host, access }: AppOptions): Promise<FastifyInstance> {
	const app = fastify({
		bodyLimit: BODY_LIMIT_BYTES,
		requestTimeout: REQUEST_TIMEOUT_MS,
		exposeHeadRoutes: false,
		forceCloseConnections: true,
	});
	await app.register(cookie);
	app.addContentTypeParser(
		"application/x-www-form-urlencoded",
		{ parseAs: "string" },
		async (_request: FastifyRequest, body: string | Buffer) => new URLSearchParams(String(body)),
	);
	app.addHook("onRequest", setHeaders);
	if (isLoopback(host)) {
		app.addHook("onRequest", refuseOtherHosts);
	}
	app.addHook("onRequest", refuseOtherSites);
	if (access !== undefined) {
		requireAccess(app, access);
	}
	pageRoutes(app, access !== undefined);
	eventRoute(app, feed, access);
	return app;
}

function pageRoutes(app: FastifyInstance, hasToken: boolean): void {
	for (const [name, { type, body }] of readPage()) {
		if (name !== "login.html") {
			app.get(name === "index.html" ? "/" : `/${name}`, (_request, reply) => reply.type(type).send(body));
		}
	}
	/** By which the page tells a session that has ended from a server that does not answer. */
	app.get("/access", async () => ({ signedIn: hasToken }));
}

/** A stream lasts as long as the session that it was asked for in: its page then learns that it has to sign in. */
function eventRoute(app: FastifyInstance, feed: Feed, access: Access | undefined): void {
	app.get("/events", (request, reply) => {
		const events = feed.listen();
		if (events === undefined) {
			return reply
				.code(503)
				.header("retry-after", "10")
				.type("text/plain; charset=utf-8")
				.send("Too many pages are open: close one.\n");
		}
		const end = access && sessionEnd(request, access);
		if (end !== undefined) {
			const timer = setTimeout(() => events.destroy(), end - Date.now());
			events.once("close", () => clearTimeout(timer));
		}
		return reply.header("x-accel-buffering", "no").type("text/event-stream; charset=utf-8").send(events);
	});
}
