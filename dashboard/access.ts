import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Who may look: those who have the token, and those who have shown it and been given a session for it. */
export class Access {
	/** Ends every session with the process, and says nothing of the token. */
	private readonly key = randomBytes(32);
	private readonly digest: Buffer;

	/** @param sessionMs how long somebody who has signed in stays so, in milliseconds */
	constructor(
		token: string,
		private readonly sessionMs: number,
	) {
		this.digest = digestOf(token);
	}

	/** Takes as long for a wrong token as for the right one. */
	isToken(given: string): boolean {
		return timingSafeEqual(digestOf(given), this.digest);
	}

	/** What a browser keeps instead of the token, and for how many seconds. */
	openSession(now: number): { value: string; maxAgeSeconds: number } {
		const end = now + this.sessionMs;
		return { value: `${end}.${this.sign(String(end))}`, maxAgeSeconds: Math.ceil(this.sessionMs / 1000) };
	}

	/** When a session ends, in milliseconds since 1970; undefined when it has, or is none. */
	endOf(session: string, now: number): number | undefined {
		const [end = "", signature = ""] = session.split(".", 2);
		const isOurs = timingSafeEqual(digestOf(signature), digestOf(this.sign(end)));
		return isOurs && Number(end) > now ? Number(end) : undefined;
	}

	private sign(end: string): string {
		return createHmac("sha256", this.key).update(end).digest("base64url");
	}
}

/** Of one length whatever it is of, so that it can be compared in constant time. */
function digestOf(text: string): Buffer {
	return createHash("sha256").update(text).digest();
}
