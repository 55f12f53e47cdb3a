import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { BlueGreenProject } from "./blue-green-project";
import { query } from "./project";

/** What clients saw that read and wrote without pause. */
export interface Traffic<T> {
	/** What the work returned. */
	result: T;
	requests: number;
	/** Every answer that was not a success. */
	failures: string[];
	/** Begins the names of all that was written. */
	run: string;
	/** The name of each write that was answered with success. */
	acknowledged: string[];
}

const READERS = 2;
const WRITERS = 2;
const PAUSE_MS = 8;

/** Does some work while clients read and write through the router. Each write has a name that no other one has. */
export async function underTraffic<T>(
	project: BlueGreenProject,
	work: () => Promise<T>,
): Promise<Traffic<T>> {
	const { url } = project;
	const run = randomBytes(4).toString("hex");
	const camera = await post(`${url}/cameras`, { cameraName: run });
	assert.equal(camera.status, 201, camera.body);
	const cameraId = (JSON.parse(camera.body) as { id: number }).id;
	const seen = { requests: 0, failures: [] as string[], acknowledged: [] as string[] };
	let stopped = false;
	let written = 0;
	const client = async (request: () => Promise<string | undefined>) => {
		while (!stopped) {
			const failure = await request();
			seen.requests++;
			if (failure !== undefined) {
				seen.failures.push(failure);
			}
			await sleep(PAUSE_MS);
		}
	};
	const write = async () => {
		const name = `${run}-${String(written++).padStart(6, "0")}`;
		const { status, body } = await post(`${url}/counting-results`, {
			cameraId,
			countType: name,
			countValue: written,
		});
		if (status === 201) {
			seen.acknowledged.push(name);
			return undefined;
		}
		return `POST ${name}: ${status} ${body}`;
	};
	const read = async () => {
		const { status, body } = await request(`${url}/cameras`);
		return status === 200 ? undefined : `GET: ${status} ${body}`;
	};
	const clients = [
		...Array.from({ length: READERS }, () => client(read)),
		...Array.from({ length: WRITERS }, () => client(write)),
	];
	try {
		const result = await work();
		return { result, run, ...seen };
	} finally {
		stopped = true;
		await Promise.all(clients);
	}
}

/** Asserts that no request failed, and that the live colour has each acknowledged write once and nothing else. */
export async function assertUnharmed(project: BlueGreenProject, traffic: Traffic<unknown>): Promise<void> {
	assert.deepEqual(traffic.failures, []);
	assert.deepEqual(await writesOf(project, traffic), onceEach(traffic.acknowledged));
}

/** Asserts that the live colour has each acknowledged write once, whatever else was refused. */
export async function assertNothingLost(project: BlueGreenProject, traffic: Traffic<unknown>): Promise<void> {
	const found = await writesOf(project, traffic);
	assert.deepEqual(
		found.filter(({ times }) => times !== 1),
		[],
	);
	const names = new Set(found.map(({ name }) => name));
	assert.deepEqual(
		traffic.acknowledged.filter((name) => !names.has(name)),
		[],
	);
	assert.ok(traffic.acknowledged.length > 0);
}

async function writesOf(
	project: BlueGreenProject,
	{ run }: Traffic<unknown>,
): Promise<{ name: string; times: number }[]> {
	return query(
		await project.openDatabase(),
		`SELECT count_type AS name, count(*)::int AS times FROM counting_results
		WHERE starts_with(count_type, $1) GROUP BY 1 ORDER BY 1`,
		[`${run}-`],
	);
}

function onceEach(names: readonly string[]): { name: string; times: number }[] {
	return [...names].sort().map((name) => ({ name, times: 1 }));
}

function post(url: string, content: unknown): Promise<{ status: number; body: string }> {
	return request(url, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify(content),
	});
}

/** Status 0 where no answer came. */
async function request(url: string, init?: RequestInit): Promise<{ status: number; body: string }> {
	try {
		const reply = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
		return { status: reply.status, body: await reply.text() };
	} catch (error) {
		return { status: 0, body: String(error) };
	}
}
