import assert from "node:assert/strict";
import type { JobReport } from "../../service/queue/ingest-queue";
import { hold } from "../support/hold";
import { query } from "../support/project";
import { until } from "../support/waiting";
import { FencedColor } from "./fenced-color";
import type { Answer, RunningService } from "./running-service";

const ASYNC = { prefer: "respond-async" };
/** Writers wait for whoever holds it, readers do not. */
const HOLD_WRITERS = "LOCK TABLE counting_results IN EXCLUSIVE MODE";

describe("the queue of batches", () => {
	let color: FencedColor;

	before(async () => {
		color = await FencedColor.create();
	});

	afterEach(() => color.reset());

	after(() => color.drop());

	function batch(countType: string, cameraId = color.cameraId) {
		return [1, 2, 3].map((countValue) => ({ cameraId, countType, countValue }));
	}

	function handIn(service: RunningService, body: unknown, headers = ASYNC): Promise<Answer> {
		return service.call("POST", "/counting-results/batch", body, headers);
	}

	async function accepted(service: RunningService, body: unknown): Promise<string> {
		const { status, body: answer } = await handIn(service, body);
		assert.equal(status, 202);
		return (answer as { jobId: string }).jobId;
	}

	async function report(service: RunningService, id: string): Promise<JobReport> {
		const { status, body } = await service.call("GET", `/jobs/${id}`);
		assert.equal(status, 200, JSON.stringify(body));
		return body as JobReport;
	}

	function untilState(service: RunningService, id: string, state: string): Promise<JobReport> {
		return until(`job ${id} is ${state}`, async () => {
			const found = await report(service, id);
			return found.state === state ? found : undefined;
		});
	}

	async function untilWorker(service: RunningService, state: "working" | "resting"): Promise<void> {
		await until(`the worker is ${state}`, async () => {
			const { body } = await service.call("GET", "/jobs");
			return (body as { worker: string }).worker === state;
		});
	}

	it("takes a batch at once, stores it soon, and tells what became of it", async () => {
		const service = await color.service();
		const answer = await handIn(service, batch("person"));
		const { jobId, state } = answer.body as { jobId: string; state: string };
		assert.deepEqual(
			[answer.status, state, answer.headers.get("location"), answer.headers.get("preference-applied")],
			[202, "queued", `/jobs/${jobId}`, "respond-async"],
		);
		const { queuedAt, finishedAt, ...done } = await untilState(service, jobId, "done");
		assert.deepEqual(done, { id: jobId, state: "done", results: 3, tries: 1, error: null });
		assert.ok(finishedAt !== null && Date.parse(finishedAt) >= Date.parse(queuedAt));
		assert.deepEqual(await color.stored(), { person: 3 });
		assert.deepEqual((await service.call("GET", "/jobs")).body, { worker: "working", waiting: 0 });
	});

	it("is used by who prefers that, among other preferences", async () => {
		const service = await color.service();
		for (const [prefer, status] of [
			["handling=strict, Respond-Async; wait=10", 202],
			["return=minimal", 201],
			['note="a, respond-async, b"', 201],
		] as const) {
			assert.equal((await handIn(service, batch("person"), { prefer })).status, status, prefer);
		}
		const refused = await handIn(service, [{ cameraId: 0 }]);
		assert.deepEqual([refused.status, (refused.body as { error: string }).error], [400, "invalid_request"]);
		const unknown = await service.call("GET", "/jobs/0b5c1bb6-7d4e-4d51-a7ea-4a3f7c1f3c11");
		assert.deepEqual([unknown.status, (unknown.body as { error: string }).error], [404, "job_not_found"]);
		assert.equal((await service.call("GET", "/jobs/first")).status, 400);
	});

	it("stores results as of the moment they were handed in", async () => {
		const service = await color.service();
		await color.close();
		await untilWorker(service, "resting");
		const id = await accepted(service, batch("person"));
		const [{ now }] = (await query(color.superuser, "SELECT clock_timestamp() AS now")) as [{ now: Date }];
		await color.open();
		await untilState(service, id, "done");
		const rows = await query(color.superuser, "SELECT FROM counting_results WHERE created_at <= $1", [now]);
		assert.equal(rows.length, 3);
	});

	it("is shared by the processes of a colour, each batch being stored by one", async () => {
		const services = [await color.service(), await color.service()];
		const names = Array.from({ length: 20 }, (_, index) => `batch-${String(index).padStart(2, "0")}`);
		const ids = await Promise.all(names.map((name, index) => accepted(services[index % 2]!, batch(name))));
		for (const id of ids) {
			await untilState(services[0]!, id, "done");
		}
		assert.deepEqual(await color.stored(), Object.fromEntries(names.map((name) => [name, 3])));
	});

	it("waits while its colour is idle, and costs no try when a write is refused", async () => {
		const service = await color.service({ QUEUE_TRIES: "1" });
		await untilWorker(service, "working");
		const writers = await hold(color.superuser, HOLD_WRITERS);
		const taken = await accepted(service, batch("taken"));
		await writers.untilAwaited();
		await color.close();
		await writers.release();
		await service.program.waitFor(/batch put back into the queue/);
		await untilWorker(service, "resting");
		const waiting = await accepted(service, batch("waiting"));
		for (const id of [taken, waiting]) {
			const { state, tries, error } = await report(service, id);
			assert.deepEqual({ state, tries, error }, { state: "queued", tries: 0, error: null });
		}
		assert.deepEqual((await service.call("GET", "/jobs")).body, { worker: "resting", waiting: 2 });
		assert.deepEqual(await color.stored(), {});

		await color.open();
		assert.equal((await untilState(service, taken, "done")).tries, 1);
		assert.equal((await untilState(service, waiting, "done")).tries, 1);
		assert.deepEqual(await color.stored(), { taken: 3, waiting: 3 });
	});

	it("stores a batch once whose process is killed in the middle of it", async () => {
		const killed = await color.service({ QUEUE_JOB_TIMEOUT_SECONDS: "1" });
		await untilWorker(killed, "working");
		const writers = await hold(color.superuser, HOLD_WRITERS);
		const id = await accepted(killed, batch("person"));
		await writers.untilAwaited();
		await killed.stop("SIGKILL");
		const next = await color.service({ QUEUE_JOB_TIMEOUT_SECONDS: "1" });
		assert.equal((await report(next, id)).state, "running");
		await writers.release();
		const { tries } = await untilState(next, id, "done");
		assert.ok(tries >= 2, `${tries} tries`);
		assert.deepEqual(await color.stored(), { person: 3 });
	});

	it("does not store again what an earlier try has stored without coming to tell so", async () => {
		const service = await color.service();
		const id = await accepted(service, batch("person"));
		await untilState(service, id, "done");
		await requeue(id);
		await untilState(service, id, "done");
		await service.program.waitFor(/"stored":false/);
		assert.deepEqual(await color.stored(), { person: 3 });
	});

	/** Puts the queue back to before a job was done, as a crash between storing and telling would leave it. */
	async function requeue(id: string): Promise<void> {
		await color.inQueue("UPDATE pgboss.job SET state = 'created', completed_on = NULL WHERE id = $1", [id]);
	}

	it("gives a batch up that fails again and again, and tells why", async () => {
		const service = await color.service({ QUEUE_TRIES: "2" });
		const id = await accepted(service, [...batch("person"), ...batch("person", 99)]);
		const { queuedAt, finishedAt, ...dead } = await untilState(service, id, "dead");
		assert.deepEqual(dead, {
			id,
			state: "dead",
			results: 6,
			tries: 2,
			error: "unknown camera 99: create it first; nothing was stored",
		});
		assert.ok(finishedAt !== null && finishedAt > queuedAt);
		assert.deepEqual(await color.stored(), {});
	});

	it("takes no more than may wait, and says when to try again", async () => {
		const service = await color.service({ QUEUE_MAX_JOBS: "1" });
		await color.close();
		await untilWorker(service, "resting");
		const first = await accepted(service, batch("first"));
		const refused = await handIn(service, batch("second"));
		assert.deepEqual(
			[refused.status, refused.headers.get("retry-after"), (refused.body as { error: string }).error],
			[429, "1", "queue_full"],
		);
		await color.open();
		await untilState(service, first, "done");
		await untilState(service, await accepted(service, batch("third")), "done");
		assert.deepEqual(await color.stored(), { first: 3, third: 3 });
	});

	it("finishes the batch that is being stored when its process is told to end", async () => {
		const service = await color.service();
		await untilWorker(service, "working");
		const writers = await hold(color.superuser, HOLD_WRITERS);
		const id = await accepted(service, batch("person"));
		await writers.untilAwaited();
		const ended = service.stop();
		await service.program.waitFor(/"msg":"stopping"/);
		await writers.release();
		assert.equal(await ended, 0);
		assert.deepEqual(await color.stored(), { person: 3 });
		const next = await color.service();
		assert.equal((await report(next, id)).state, "done");
	});

	it("forgets a finished batch after its time", async () => {
		const service = await color.service({ QUEUE_KEEP_SECONDS: "1", QUEUE_JOB_TIMEOUT_SECONDS: "1" });
		const id = await accepted(service, batch("person"));
		await until(
			"the job is forgotten",
			async () => (await service.call("GET", `/jobs/${id}`)).status === 404,
		);
		assert.deepEqual(await color.stored(), { person: 3 });
	});

	it("is none of a release before schema 1.4.0, which stores the batch at once instead", async () => {
		const service = await color.service({ RELEASE: "1.3.0", REQUIRED_SCHEMA: "1.3.0" });
		assert.equal((await handIn(service, batch("person"))).status, 201);
		const { status, body } = await service.call("GET", "/jobs/0b5c1bb6-7d4e-4d51-a7ea-4a3f7c1f3c11");
		assert.deepEqual([status, (body as { error: string }).error], [501, "not_in_this_release"]);
		assert.equal((await service.call("GET", "/jobs")).status, 501);
	});

	it("gives the service's role its rows and nothing else", async () => {
		await assert.rejects(
			color.inQueue("ALTER TABLE pgboss.job ADD COLUMN x int", [], color.application),
			/must be owner/,
		);
		await assert.rejects(
			color.inQueue("CREATE TABLE mine (id int)", [], color.application),
			/permission denied/,
		);
	});
});
