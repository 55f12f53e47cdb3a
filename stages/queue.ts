import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError } from "pg";
import { type Color, onColor, workerState } from "./color";

/** The worker hears of a switch at once, and finds out by itself within two seconds. */
const SETTLE_MS = 5000;
const WATCH_MS = 1500;
const POLL_MS = 100;
const NO_TABLE = "42P01";
const NO_PRIVILEGE = "42501";
const READ_ONLY = "25006";

// The queue must be within reach of the colour's service, whose worker takes jobs only when the colour is live.
void onColor(async (color) => {
	if ((await workerState(color)) === undefined) {
		return "the release has no queue";
	}
	const path = `/jobs/${randomUUID()}`;
	const { status, body } = await color.get(path);
	if (status !== 404) {
		throw new Error(`the queue cannot be asked: GET ${path} answered ${status}: ${JSON.stringify(body)}`);
	}
	const wanted = (await isOpen(color)) ? "working" : "resting";
	if (!(await settles(color, wanted))) {
		throw new Error(
			wanted === "resting"
				? "the worker of the idle colour takes jobs, whose writes would be refused"
				: "the worker of the live colour does not take jobs",
		);
	}
	const deadline = performance.now() + WATCH_MS;
	while (performance.now() < deadline) {
		await sleep(POLL_MS);
		if ((await workerState(color)) !== wanted && (await isOpen(color)) === (wanted === "working")) {
			throw new Error(`the worker was ${wanted} and is so no more, though the colour is as it was`);
		}
	}
	return `the queue answers and the worker is ${wanted}, as it should be`;
});

async function settles(color: Color, wanted: "working" | "resting"): Promise<boolean> {
	const deadline = performance.now() + SETTLE_MS;
	while ((await workerState(color)) !== wanted) {
		if (performance.now() > deadline) {
			return false;
		}
		await sleep(POLL_MS);
	}
	return true;
}

/** Whether the application may write here; always so where there is no write fence. */
async function isOpen(color: Color): Promise<boolean> {
	try {
		const [fence] = await color.query<{ open: boolean }>(
			"SELECT closed_until <= clock_timestamp() AS open FROM deployment.write_fence",
		);
		return fence?.open ?? true;
	} catch (error) {
		const code = error instanceof DatabaseError ? error.code : undefined;
		if (code === NO_PRIVILEGE) {
			return acceptsWrites(color);
		}
		if (code === NO_TABLE) {
			return true;
		}
		throw error;
	}
}

/** The role that the service uses may not look at the fence, but finds out by a write of nothing. */
async function acceptsWrites(color: Color): Promise<boolean> {
	try {
		await color.query("DELETE FROM cameras WHERE false");
		return true;
	} catch (error) {
		if (error instanceof DatabaseError && error.code === READ_ONLY) {
			return false;
		}
		throw error;
	}
}
