import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { expectAnswer, request } from "./api/request";
import { problemSchema } from "./api/schemas";
import { runProgram } from "./report";
import { readSurroundings, serviceUrl } from "./surroundings";

/** The worker hears of a switch at once, and finds out by itself within two seconds. */
const SETTLE_MS = 10_000;
const WATCH_MS = 1500;
const POLL_MS = 100;

const jobsSchema = z.object({ worker: z.enum(["working", "resting"]), waiting: z.number() });
type WorkerState = z.infer<typeof jobsSchema>["worker"];

// The queue must be within reach of the service, whose worker takes jobs only where their writes are served.
runProgram(async (report) => {
	const surroundings = readSurroundings(process.env);
	const url = serviceUrl(surroundings);
	if ((await request(url, "/jobs")).status === 501) {
		report.skip("the queue of batches", "the release has no queue");
		return;
	}
	await report.check("the queue can be asked", async () => {
		expectAnswer(await request(url, `/jobs/${randomUUID()}`), 404, problemSchema);
	});
	const wanted = surroundings.writes === "served" ? "working" : "resting";
	await report.check(`the worker is ${wanted}, as it should be`, async () => {
		await untilWorker(url, wanted);
		const deadline = performance.now() + WATCH_MS;
		while (performance.now() < deadline) {
			await sleep(POLL_MS);
			assert.equal(await workerState(url), wanted, `the worker was ${wanted} and is so no more`);
		}
	});
});

async function untilWorker(url: string, wanted: WorkerState): Promise<void> {
	const deadline = performance.now() + SETTLE_MS;
	while ((await workerState(url)) !== wanted) {
		if (performance.now() > deadline) {
			throw new Error(
				wanted === "resting"
					? "the worker of a service without traffic takes jobs, whose writes are refused"
					: "the worker of the service that has the traffic does not take jobs",
			);
		}
		await sleep(POLL_MS);
	}
}

async function workerState(url: string): Promise<WorkerState> {
	return expectAnswer(await request(url, "/jobs"), 200, jobsSchema).worker;
}
