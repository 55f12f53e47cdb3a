import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Text {
	id: number;
	number?: number;
	title?: string;
	body: string;
	state?: string;
	open: boolean;
}

/** A stand-in for GitHub's API, as far as comments and issues are written. */
export class FakeGitHub {
	readonly comments: Text[] = [];
	readonly issues: Text[] = [];
	readonly tokens = new Set<string>();
	/** Whether it takes nothing from whoever asks. */
	refuses = false;

	private constructor(
		private readonly server: Server,
		readonly url: string,
	) {}

	static async start(): Promise<FakeGitHub> {
		const server = createServer();
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		const github = new FakeGitHub(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
		server.on("request", async (request, response) => {
			const chunks: Buffer[] = [];
			for await (const chunk of request) {
				chunks.push(chunk as Buffer);
			}
			github.tokens.add(request.headers.authorization ?? "");
			const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString("utf8"));
			const { status, reply } = github.answer(
				request.method ?? "",
				new URL(request.url ?? "", github.url),
				body,
			);
			response.writeHead(status, { "content-type": "application/json" });
			response.end(JSON.stringify(reply));
		});
		return github;
	}

	private answer(method: string, url: URL, body: Partial<Text>): { status: number; reply: unknown } {
		if (this.refuses) {
			return { status: 403, reply: { message: "Resource not accessible by integration" } };
		}
		const path = url.pathname.replace("/repos/acme/counting", "");
		const isComment = path.includes("/comments");
		const texts = isComment ? this.comments : this.issues;
		if (method === "GET") {
			const [size, page] = [Number(url.searchParams.get("per_page")), Number(url.searchParams.get("page"))];
			return { status: 200, reply: texts.filter(({ open }) => open).slice((page - 1) * size, page * size) };
		}
		if (method === "POST") {
			const id = texts.length + 1;
			texts.push({ id, number: id, body: "", open: true, ...body });
			return { status: 201, reply: texts.at(-1) };
		}
		const found = texts.find(({ id }) => id === Number(path.split("/").at(-1)));
		return found === undefined
			? { status: 404, reply: { message: "Not Found" } }
			: { status: 200, reply: Object.assign(found, body, body.state === "closed" && { open: false }) };
	}

	async stop(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}
}
