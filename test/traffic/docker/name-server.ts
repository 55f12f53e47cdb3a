import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

const HEADER_BYTES = 12;
const NO_SUCH_NAME = 3;
const ADDRESS = 1;

/** A name server as a Docker engine has one: it knows containers that run, and that a name is nobody's when they have ended. */
export class NameServer {
	/** Name → IPv4 address. */
	readonly names = new Map<string, string>();
	private readonly socket: Socket = createSocket("udp4");

	private constructor() {
		this.socket.on("message", (query, { port, address }) => {
			this.socket.send(this.answer(query), port, address);
		});
	}

	static async start(): Promise<NameServer> {
		const server = new NameServer();
		server.socket.bind(0, "127.0.0.1");
		await once(server.socket, "listening");
		return server;
	}

	get address(): { host: string; port: number } {
		return { host: "127.0.0.1", port: this.socket.address().port };
	}

	stop(): void {
		this.socket.close();
	}

	/** In the form of RFC 1035, section 4. */
	private answer(query: Buffer): Buffer {
		const labels: string[] = [];
		let at = HEADER_BYTES;
		for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
			labels.push(query.toString("ascii", at + 1, at + 1 + length));
			at += 1 + length;
		}
		const isForAddress = query.readUInt16BE(at + 1) === ADDRESS;
		const question = query.subarray(HEADER_BYTES, at + 5);
		const found = this.names.get(labels.join("."));
		const header = Buffer.alloc(HEADER_BYTES);
		query.copy(header, 0, 0, 2);
		const answers = found !== undefined && isForAddress ? 1 : 0;
		header.writeUInt16BE(0x8180 | (found === undefined ? NO_SUCH_NAME : 0), 2);
		header.writeUInt16BE(1, 4);
		header.writeUInt16BE(answers, 6);
		const record = Buffer.from([0xc0, HEADER_BYTES, 0, ADDRESS, 0, 1, 0, 0, 0, 1, 0, 4]);
		const address = Buffer.from((found ?? "").split(".").map(Number));
		return Buffer.concat([header, question, ...(answers === 1 ? [record, address] : [])]);
	}
}
