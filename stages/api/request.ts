import assert from "node:assert/strict";
import type { z } from "zod";

const TIMEOUT_MS = 10_000;

export interface Answer {
	status: number;
	headers: Headers;
	body: unknown;
}

/** Sends a request; a body goes as JSON. */
export async function request(url: string, path: string, method = "GET", body?: unknown): Promise<Answer> {
	const reply = await fetch(url + path, {
		method,
		signal: AbortSignal.timeout(TIMEOUT_MS),
		...(body !== undefined && {
			headers: { "content-type": "application/json" },
			body: JSON.stringify(body),
		}),
	});
	const text = await reply.text();
	return { status: reply.status, headers: reply.headers, body: text === "" ? undefined : JSON.parse(text) };
}

/** @throws Error naming what differs from the status and the shape that are expected */
export function expectAnswer<T extends z.ZodType>(
	{ status, body }: Pick<Answer, "status" | "body">,
	expected: number,
	schema: T,
): z.infer<T> {
	assert.equal(status, expected, `status ${status}, expected ${expected}: ${JSON.stringify(body)}`);
	const parsed = schema.safeParse(body);
	if (!parsed.success) {
		const issue = parsed.error.issues[0];
		throw new Error(
			`the answer is not as documented at ${issue?.path.join(".") || "its top"}: ${issue?.message}`,
		);
	}
	return parsed.data;
}
