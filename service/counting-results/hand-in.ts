import type { FastifyReply } from "fastify";
import type { IngestQueue } from "../queue/ingest-queue";
import type { NewResult } from "./new-result";

/** Whether a client asks with `Prefer: respond-async` (RFC 7240) not to be kept waiting. */
export function respondsAsync(prefer: string | string[] | undefined): boolean {
	const preferences = [prefer ?? []]
		.flat()
		.join(",")
		.replaceAll(/"(?:[^"\\]|\\.)*"/g, "");
	return preferences
		.split(",")
		.map((preference) => preference.split(/[;=]/, 1)[0]?.trim().toLowerCase())
		.includes("respond-async");
}

/** Takes results into the queue; the answer says where to ask what became of them. */
export async function handIn(
	queue: IngestQueue,
	results: readonly NewResult[],
	reply: FastifyReply,
): Promise<FastifyReply> {
	// They were counted now, however late they are stored.
	const now = new Date().toISOString();
	const id = await queue.add(results.map((result) => ({ ...result, createdAt: result.createdAt ?? now })));
	return reply
		.code(202)
		.header("location", `/jobs/${id}`)
		.header("preference-applied", "respond-async")
		.send({ jobId: id, state: "queued" });
}
