import type { Change } from "../../dashboard/state";

export interface ServerEvent {
	type: string;
	data: string;
}

const DEADLINE_MS = 20_000;

/** Reads server-sent events one by one, as a page gets them. */
export class EventReader {
	private readonly abort = new AbortController();
	private text = "";

	private constructor(private readonly chunks: AsyncIterator<string>) {}

	static async open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
		const abort = new AbortController();
		const answer = await fetch(`${url}/events`, { headers, signal: abort.signal });
		if (!answer.ok || answer.body === null) {
			abort.abort();
			throw new Error(`/events answered ${answer.status}`);
		}
		const reader = new EventReader(textOf(answer.body));
		reader.abort.signal.addEventListener("abort", () => abort.abort());
		return reader;
	}

	/** The next event that has data; comments and settings are passed over. */
	async next(): Promise<ServerEvent> {
		for (;;) {
			const end = this.text.indexOf("\n\n");
			if (end < 0) {
				this.text += await this.more();
				continue;
			}
			const lines = this.text.slice(0, end).split("\n");
			this.text = this.text.slice(end + 2);
			const fields = new Map(lines.map((line) => line.split(/: (.*)/s, 2) as [string, string]));
			const data = fields.get("data");
			if (data !== undefined) {
				return { type: fields.get("event") ?? "message", data };
			}
		}
	}

	/** The next change of what is shown. */
	async change(): Promise<Change> {
		for (;;) {
			const { type, data } = await this.next();
			if (type === "state") {
				return JSON.parse(data);
			}
		}
	}

	close(): void {
		this.abort.abort();
	}

	private async more(): Promise<string> {
		const deadline = AbortSignal.timeout(DEADLINE_MS);
		const late = new Promise<never>((_, reject) => {
			deadline.addEventListener("abort", () => reject(new Error("there was no event in 20 s")));
		});
		const { value, done } = await Promise.race([this.chunks.next(), late]);
		if (done) {
			throw new Error("the events have ended");
		}
		return value;
	}
}

async function* textOf(body: ReadableStream<Uint8Array>): AsyncIterator<string> {
	const decoder = new TextDecoder();
	for await (const chunk of body) {
		yield decoder.decode(chunk, { stream: true });
	}
}
