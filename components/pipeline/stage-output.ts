import { OUTPUT_LENGTH } from "../catalog/stages";

const FLUSH_MS = 1000;

/** What a stage says, on its way into the catalog: written down while the stage goes on, and bounded. */
export class StageOutput {
	private lines: string[] = [];
	private length = 0;
	private writing: Promise<void> = Promise.resolve();
	private readonly timer: NodeJS.Timeout;

	/** @param write adds text to the stage's output in the catalog */
	constructor(private readonly write: (text: string) => Promise<void>) {
		this.timer = setInterval(() => this.flush(), FLUSH_MS);
		this.timer.unref();
	}

	add(line: string): void {
		// PostgreSQL's text has no NUL.
		const text = line.replaceAll("\0", "").slice(-OUTPUT_LENGTH);
		this.lines.push(text);
		this.length += text.length + 1;
		while (this.length > OUTPUT_LENGTH && this.lines.length > 1) {
			this.length -= this.lines.shift()!.length + 1;
		}
	}

	/** Ends the writing while the stage goes on. Returns what is not written down yet. */
	async end(): Promise<string> {
		clearInterval(this.timer);
		await this.writing;
		return this.take();
	}

	private flush(): void {
		this.writing = this.writing.then(async () => {
			const text = this.take();
			if (text === "") {
				return;
			}
			try {
				await this.write(text);
			} catch {
				// Whether the catalog can be told shows at the stage's end; until then nothing of it is lost.
				const since = this.lines;
				this.lines = [];
				this.length = 0;
				for (const line of [text, ...since]) {
					this.add(line);
				}
			}
		});
	}

	private take(): string {
		const text = this.lines.join("\n");
		this.lines = [];
		this.length = 0;
		return text;
	}
}
