import { StringDecoder } from "node:string_decoder";

const REDACTED = "[secret]";
/** Shorter ones would hide words that have nothing to do with them. */
const SHORTEST_SECRET = 4;
/** A line is passed on in parts of this length, in characters. */
const LONGEST_LINE = 8192;

/** Cuts what processes print into lines, in which secrets are hidden. */
export class RedactedLines {
	private readonly secrets: readonly string[];
	private readonly overlap: number;
	private readonly ends: (() => void)[] = [];

	constructor(
		secrets: readonly string[],
		private readonly tell: (line: string) => void,
	) {
		const spellings = secrets
			.filter((secret) => secret.length >= SHORTEST_SECRET)
			.flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
		// The longest first, since one may be part of another.
		this.secrets = [...new Set(spellings)].sort((left, right) => right.length - left.length);
		this.overlap = Math.max(0, ...this.secrets.map(({ length }) => length - 1));
	}

	/** Takes in the output of one stream. */
	reader(): (chunk: Buffer) => void {
		const decoder = new StringDecoder("utf8");
		let rest = "";
		this.ends.push(() => {
			const last = rest + decoder.end();
			rest = "";
			if (last !== "") {
				this.tell(this.redact(last));
			}
		});
		return (chunk) => {
			const lines = (rest + decoder.write(chunk)).split("\n");
			rest = lines.pop() ?? "";
			for (const line of lines) {
				this.tell(this.redact(line.replace(/\r$/, "")));
			}
			while (rest.length > LONGEST_LINE + this.overlap) {
				// What is held back may be the beginning of a secret.
				const hidden = this.redact(rest);
				const end = Math.max(1, hidden.length - this.overlap);
				this.tell(hidden.slice(0, end));
				rest = hidden.slice(end);
			}
		};
	}

	/** Passes on what no line end came after. */
	end(): void {
		for (const end of this.ends) {
			end();
		}
	}

	redact(text: string): string {
		return this.secrets.reduce((redacted, secret) => redacted.replaceAll(secret, REDACTED), text);
	}
}
