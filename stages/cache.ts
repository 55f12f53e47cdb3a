import { setTimeout as sleep } from "node:timers/promises";
import type { ClientBase } from "pg";
import { z } from "zod";
import { withClient } from "../components/database/connection";
import { expectAnswer, request } from "./api/request";
import { hourlySchema } from "./api/schemas";
import { runProgram } from "./report";
import { readSurroundings, serviceUrl } from "./surroundings";

/** Rows come in while this runs: one that comes between two looks at the same thing spoils them. */
const ATTEMPTS = 10;
/** A service that has just got the traffic, or just started, finds out within two seconds. */
const SETTLE_MS = 10_000;
const POLL_MS = 100;
const OUTCOMES = ["hit", "miss", "bypass"] as const;

interface Question {
	cameraId: number;
	/** The one hour that is asked about. */
	from: Date;
	to: Date;
}

// Asks the service for totals: they must be those of its own database, from memory only where it has the traffic.
runProgram(async (report) => {
	const surroundings = readSurroundings(process.env);
	const { owner, writes } = surroundings;
	const url = serviceUrl(surroundings);
	await withClient(owner, { applicationName: "deployment-stage" }, async (client) => {
		const question = await findQuestion(client);
		const { status } = await request(url, pathOf(question));
		if (status === 501) {
			report.skip("the cache of hourly totals", "the release has no counting results");
			return;
		}
		if (writes === "served") {
			await report.check("totals come from the cache of the service that has the traffic", () =>
				untilKept(url, question),
			);
		} else {
			await report.check("the cache of a service without traffic is bypassed", () =>
				assertBypassed(url, question),
			);
		}
		await report.check("totals are those of the database", () => assertTotal(client, url, question));
	});
});

/** The hour of the first result, where hardly anything changes any more. */
async function findQuestion(client: ClientBase): Promise<Question> {
	const [first] = (await hasResults(client))
		? (
				await client.query<Question>(
					`SELECT camera_id AS "cameraId", date_trunc('hour', created_at, 'UTC') AS "from",
						date_trunc('hour', created_at, 'UTC') + interval '1 hour' AS "to"
					FROM counting_results ORDER BY id LIMIT 1`,
				)
			).rows
		: [];
	return (
		first ?? { cameraId: 1, from: new Date("2000-01-01T00:00:00Z"), to: new Date("2000-01-01T01:00:00Z") }
	);
}

async function hasResults(client: ClientBase): Promise<boolean> {
	const { rows } = await client.query<{ present: boolean }>(
		"SELECT to_regclass('public.counting_results') IS NOT NULL AS present",
	);
	return rows[0]?.present === true;
}

function pathOf({ cameraId, from, to }: Question): string {
	return `/counting-results/hourly?cameraId=${cameraId}&from=${from.toISOString()}&to=${to.toISOString()}`;
}

/** What the service says of where its answer came from. */
async function outcomeOf(url: string, question: Question): Promise<(typeof OUTCOMES)[number]> {
	const answer = await request(url, pathOf(question));
	expectAnswer(answer, 200, hourlySchema);
	const found = answer.headers.get("x-cache");
	return z
		.enum(OUTCOMES, { error: `the header x-cache is ${found}: it must be one of ${OUTCOMES.join(", ")}` })
		.parse(found);
}

async function untilKept(url: string, question: Question): Promise<void> {
	const deadline = performance.now() + SETTLE_MS;
	while ((await outcomeOf(url, question)) !== "hit") {
		if (performance.now() > deadline) {
			throw new Error(`the same question was answered for ${SETTLE_MS / 1000} s, and never from the cache`);
		}
		await sleep(POLL_MS);
	}
}

async function assertBypassed(url: string, question: Question): Promise<void> {
	for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
		const outcome = await outcomeOf(url, question);
		if (outcome !== "bypass") {
			throw new Error(`x-cache is ${outcome}: it could serve old totals once it has the traffic`);
		}
	}
}

async function assertTotal(client: ClientBase, url: string, question: Question): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		const { hours } = expectAnswer(await request(url, pathOf(question)), 200, hourlySchema);
		const answered = hours.reduce((sum, { total }) => sum + total, 0);
		const stored = await storedTotal(client, question);
		if (answered === stored) {
			return;
		}
		if (attempt === ATTEMPTS) {
			throw new Error(
				`camera ${question.cameraId} has a total of ${stored} in the database, the service says ${answered}`,
			);
		}
	}
}

async function storedTotal(client: ClientBase, { cameraId, from, to }: Question): Promise<number> {
	const { rows } = await client.query<{ total: number }>(
		`SELECT COALESCE(SUM(count_value), 0)::FLOAT8 AS total FROM counting_results
		WHERE camera_id = $1 AND created_at >= $2 AND created_at < $3`,
		[cameraId, from, to],
	);
	return rows[0]?.total ?? 0;
}
