import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Access } from "./access";
import { readPage } from "./page-files";

const COOKIE = "dashboard_session";
/** What a browser gets before it has shown the token. */
const OPEN_TO_ALL = new Set(["/login", "/style.css", "/icon.svg"]);

/** Lets through who has the token or a session, and offers the form that gives a session for the token. */
export function requireAccess(app: FastifyInstance, access: Access): void {
	app.addHook("onRequest", async (request, reply) => refuseStrangers(access, request, reply));
	const form = readPage().get("login.html")!;
	const refused = form.body.toString("utf8").replace(" hidden", "");
	app.get("/login", (_request, reply) => reply.type(form.type).send(form.body));
	app.post("/login", (request, reply) => {
		const given = request.body instanceof URLSearchParams ? (request.body.get("token") ?? "") : "";
		if (!access.isToken(given.trim())) {
			return reply.code(401).type(form.type).send(refused);
		}
		const { value, maxAgeSeconds } = access.openSession(Date.now());
		return reply
			.setCookie(COOKIE, value, {
				httpOnly: true,
				sameSite: "strict",
				path: "/",
				maxAge: maxAgeSeconds,
				// Who claims it wrongly only keeps the cookie from itself.
				secure: request.headers["x-forwarded-proto"] === "https",
			})
			.redirect("/", 303);
	});
	app.post("/logout", (_request, reply) => reply.clearCookie(COOKIE, { path: "/" }).redirect("/login", 303));
}

/** When the session ends that a request comes with, in milliseconds since 1970; undefined when it comes with none. */
export function sessionEnd(request: FastifyRequest, access: Access): number | undefined {
	const session = request.cookies[COOKIE];
	return session === undefined ? undefined : access.endOf(session, Date.now());
}

/** A browser is led to where it can show the token. */
function refuseStrangers(
	access: Access,
	request: FastifyRequest,
	reply: FastifyReply,
): FastifyReply | undefined {
	const path = request.url.split("?", 1)[0] ?? "";
	const [, bearer] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
	const isKnown =
		(bearer !== undefined && access.isToken(bearer)) || sessionEnd(request, access) !== undefined;
	if (isKnown || OPEN_TO_ALL.has(path)) {
		return undefined;
	}
	if (path === "/" && bearer === undefined) {
		return reply.redirect("/login", 303);
	}
	return reply
		.code(401)
		.header("www-authenticate", "Bearer")
		.type("text/plain; charset=utf-8")
		.send("Sign in at /login, or send the token as Authorization: Bearer.\n");
}
