import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

/** A message and what tells its attempts apart from other messages. */
export interface Notification {
	id: string;
	/** JSON. */
	body: string;
}

export interface WebhookReceiver {
	/** Secret: whoever knows it may post to it. */
	url: string;
	/** `whsec_` and the key in base64; unsigned without it. */
	secret?: string | undefined;
}

export interface DeliveryLimits {
	attempts: number;
	/** Milliseconds for all attempts together. */
	totalMs: number;
	/** Milliseconds for one attempt. */
	attemptMs: number;
	/** Milliseconds before the second attempt; doubled before each further one. */
	backoffMs: number;
}

const LIMITS: DeliveryLimits = { attempts: 3, totalMs: 5000, attemptMs: 2000, backoffMs: 250 };

/** An answer that another attempt would only get again. */
class Refused extends Error {
	override readonly name = "Refused";
}

/**
 * Posts a message to a receiver, signed as <https://www.standardwebhooks.com> has it, and tries again while that may help.
 *
 * @throws Error telling what the last attempt met, with nothing of the address but its host
 */
export async function deliver(
	receiver: WebhookReceiver,
	message: Notification,
	limits: DeliveryLimits = LIMITS,
): Promise<void> {
	const deadline = performance.now() + limits.totalMs;
	const left = () => deadline - performance.now();
	let last = "there was no time to try";
	let attempt = 0;
	while (attempt < limits.attempts && left() > 0) {
		attempt += 1;
		try {
			return await post(receiver, message, Math.min(limits.attemptMs, left()));
		} catch (error) {
			last = describe(error);
			if (error instanceof Refused) {
				break;
			}
		}
		const pause = limits.backoffMs * 2 ** (attempt - 1);
		if (attempt < limits.attempts && pause < left()) {
			await sleep(pause);
		}
	}
	throw new Error(`${hostOf(receiver)} did not take it (${attempt} of ${limits.attempts} attempts): ${last}`);
}

/** The only part of a receiver's address that may be shown. */
export function hostOf({ url }: WebhookReceiver): string {
	return new URL(url).host;
}

const MILLISECONDS = 1000;
const TOO_MANY_REQUESTS = 429;

async function post({ url, secret }: WebhookReceiver, { id, body }: Notification, timeoutMs: number) {
	const timestamp = String(Math.floor(Date.now() / MILLISECONDS));
	const response = await fetch(url, {
		method: "POST",
		body,
		headers: {
			"content-type": "application/json",
			"webhook-id": id,
			"webhook-timestamp": timestamp,
			...(secret !== undefined && { "webhook-signature": sign(secret, `${id}.${timestamp}.${body}`) }),
		},
		// What is posted is for this receiver and none that it names.
		redirect: "manual",
		signal: AbortSignal.timeout(Math.ceil(timeoutMs)),
	});
	await response.body?.cancel();
	if (response.ok) {
		return;
	}
	const answer = `it answered ${response.status}`;
	throw response.status >= 500 || response.status === TOO_MANY_REQUESTS
		? new Error(answer)
		: new Refused(answer);
}

function sign(secret: string, content: string): string {
	const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
	return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
}

/** Never the message of an error of the network, which may quote the address. */
function describe(error: unknown): string {
	if (!(error instanceof Error)) {
		return "it failed";
	}
	if (error.name === "TimeoutError") {
		return "it did not answer in time";
	}
	if (error.message.startsWith("it answered ")) {
		return error.message;
	}
	const code = (error.cause as { code?: unknown } | undefined)?.code;
	return typeof code === "string" ? `it cannot be reached (${code})` : "it cannot be reached";
}
