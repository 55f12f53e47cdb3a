import assert from "node:assert/strict";
import { z } from "zod";
import type { Report } from "../report";
import { expectAnswer, request } from "./request";
import { cameraSchema, camerasSchema, problemSchema, resultsSchema, versionSchema } from "./schemas";

const PAGE = 2;

/** What the service answers to those that only ask. */
export async function testReads(url: string, release: string, report: Report): Promise<void> {
	await report.check("the service is alive and ready", async () => {
		expectAnswer(await request(url, "/healthz"), 200, z.object({ status: z.literal("ok") }));
		expectAnswer(await request(url, "/readyz"), 200, z.object({ status: z.literal("ready") }));
	});
	await report.check(`release ${release} answers`, async () => {
		const found = expectAnswer(await request(url, "/version"), 200, versionSchema);
		assert.equal(found.release, release);
	});
	await report.check("cameras come page by page, none twice", async () => {
		const seen: number[] = [];
		let query = `/cameras?limit=${PAGE}`;
		for (let page = 0; page < 3 && query !== ""; page++) {
			const { cameras, nextCursor } = expectAnswer(await request(url, query), 200, camerasSchema);
			seen.push(...cameras.map(({ id }) => id));
			query = nextCursor === null ? "" : `/cameras?limit=${PAGE}&cursor=${nextCursor}`;
		}
		assert.deepEqual(
			seen,
			[...new Set(seen)].sort((left, right) => left - right),
		);
	});
	await report.check("one camera is the same by itself as among all", async () => {
		const { cameras } = expectAnswer(await request(url, "/cameras?limit=1"), 200, camerasSchema);
		for (const camera of cameras) {
			assert.deepEqual(expectAnswer(await request(url, `/cameras/${camera.id}`), 200, cameraSchema), camera);
		}
	});
	const { requiredSchema } = expectAnswer(await request(url, "/version"), 200, versionSchema);
	if (hasResults(requiredSchema)) {
		await report.check("counting results come newest first", async () => {
			const { cameras } = expectAnswer(await request(url, "/cameras?limit=5"), 200, camerasSchema);
			for (const { id } of cameras) {
				const answer = await request(url, `/counting-results?cameraId=${id}&limit=20`);
				const times = expectAnswer(answer, 200, resultsSchema).results.map(({ createdAt }) => createdAt);
				assert.deepEqual(times, [...times].sort().reverse());
			}
		});
	} else {
		report.skip("counting results come newest first", `the release works with schema ${requiredSchema}`);
	}
}

/** What the service does not do, and how it says so. */
export async function testRefusals(url: string, writes: "served" | "refused", report: Report): Promise<void> {
	await report.check("what is not there is told as not found", async () => {
		const camera = expectAnswer(await request(url, "/cameras/2147483647"), 404, problemSchema);
		assert.equal(camera.error, "camera_not_found");
		assert.equal(expectAnswer(await request(url, "/nowhere"), 404, problemSchema).error, "no_such_endpoint");
	});
	await report.check("every wrong field of a request is told", async () => {
		const wrong = { cameraName: "", status: "NOT A WORD", color: "blue" };
		const { error, details } = expectAnswer(
			await request(url, "/cameras", "POST", wrong),
			400,
			problemSchema,
		);
		assert.equal(error, "invalid_request");
		assert.deepEqual(details.map(({ field }) => field).sort(), ["cameraName", "color", "status"]);
	});
	if (writes === "served") {
		report.skip("writes are refused before the colour has the traffic", "the service has the traffic");
		return;
	}
	await report.check("writes are refused before the colour has the traffic, to be tried again", async () => {
		const answer = await request(url, "/cameras", "POST", { cameraName: "must not stay" });
		const { error } = expectAnswer(answer, 503, problemSchema);
		assert.equal(error, "database_unavailable");
		assert.equal(answer.headers.get("retry-after"), "1");
	});
}

/** Counting results came with schema 1.2.0. */
export function hasResults(requiredSchema: string): boolean {
	const [major = 0, minor = 0] = requiredSchema.split(".").map(Number);
	return major > 1 || minor >= 2;
}
