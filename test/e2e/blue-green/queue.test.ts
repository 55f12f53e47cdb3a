import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../../../components/database/connection";
import { stageEnvironment } from "../../../components/pipeline/stage-environment";
import { type Color, otherColor } from "../../../components/replication/node";
import { Program } from "../../service/program";
import { BlueGreenProject } from "../../support/blue-green-project";
import { onEachEngine } from "../../support/engines";
import { query } from "../../support/project";
import { until } from "../../support/waiting";

const CLIENTS = 2;
const BATCH_SIZE = 20;
/** Less than the worker of a busy machine gets done, or the queue would be full. */
const PAUSE_MS = 40;
const HOUR = { from: "2026-01-01T00:00:00Z", to: "2026-01-01T01:00:00Z" };

onEachEngine("batches that are handed in to a blue-green stack", (engine) => {
	let project: BlueGreenProject;

	before(async () => {
		project = new BlueGreenProject(engine, { release: "1.4.0" });
		project.bringMigration("1.4.0_add_ingested_batches.sql");
		await project.init();
		await project.mustUp();
	});

	after(() => project.discard());

	it("are each stored once, before, during and after a release and a rollback, and totals are never old", async function () {
		this.timeout(600_000);
		const cameraId = await addCamera();
		await assertStages("blue");

		project.addTable("1.5.0", "zones");
		project.configure({ release: "1.5.0" });
		const released = await whileHandingIn(cameraId, () => project.mustUp());
		await assertEachOnce(released);
		await assertStages("green");
		const first = await assertTotal(cameraId, 0);

		project.configure({ release: "1.4.0" });
		const rolledBack = await whileHandingIn(cameraId, () => project.mustUp());
		await assertEachOnce([...released, ...rolledBack]);
		await assertStages("blue");
		await assertTotal(cameraId, first);
	});

	async function addCamera(): Promise<number> {
		const { body } = await request("/cameras", { cameraName: "Gate 1" });
		return (body as { id: number }).id;
	}

	/** Hands batches in without pause until the work is done and some more after; the names of those that were taken. */
	async function whileHandingIn(cameraId: number, work: () => Promise<void>): Promise<HandedIn[]> {
		const taken: HandedIn[] = [];
		const failures: string[] = [];
		let stopped = false;
		const client = async (number: number) => {
			for (let n = 0; !stopped; n++) {
				const name = `${performance.now()}-${number}-${n}`;
				const { status, body } = await request(
					"/counting-results/batch",
					Array.from({ length: BATCH_SIZE }, () => ({
						cameraId,
						countType: name,
						countValue: 1,
						createdAt: HOUR.from,
					})),
					{ prefer: "respond-async" },
				);
				if (status === 202) {
					taken.push({ name, jobId: (body as { jobId: string }).jobId });
				} else {
					failures.push(`${status} ${JSON.stringify(body)}`);
				}
				await sleep(PAUSE_MS);
			}
		};
		const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
		try {
			await until("some batches are taken", () => taken.length > 20);
			await work();
			const before = taken.length;
			await until("some more batches are taken", () => taken.length > before + 20);
		} finally {
			stopped = true;
			await Promise.all(clients);
		}
		assert.deepEqual(failures, []);
		return taken;
	}

	/** Every batch was done, and the live colour has its results once. */
	async function assertEachOnce(taken: HandedIn[]): Promise<void> {
		await until(
			"no batch waits",
			async () => ((await request("/jobs")).body as { waiting: number }).waiting === 0,
		);
		for (const { jobId } of taken) {
			await until(`job ${jobId} is done`, async () => {
				const { body } = await request(`/jobs/${jobId}`);
				const { state, error } = body as { state: string; error: string | null };
				assert.notEqual(state, "dead", String(error));
				return state === "done";
			});
		}
		const rows = await query<{ name: string; times: number }>(
			await project.openDatabase(),
			"SELECT count_type AS name, count(*)::int AS times FROM counting_results GROUP BY 1 ORDER BY 1",
		);
		assert.deepEqual(
			rows,
			taken
				.map(({ name }) => ({ name, times: BATCH_SIZE }))
				.sort((left, right) => (left.name < right.name ? -1 : 1)),
		);
	}

	/** The service tells what the live colour has, whatever it or the other one told before. */
	async function assertTotal(cameraId: number, moreThan: number): Promise<number> {
		const { body } = await request(
			`/counting-results/hourly?cameraId=${cameraId}&from=${HOUR.from}&to=${HOUR.to}`,
		);
		const total = (body as { hours: { total: number }[] }).hours.reduce((sum, hour) => sum + hour.total, 0);
		const [stored] = await query<{ total: number }>(
			await project.openDatabase(),
			"SELECT sum(count_value)::int AS total FROM counting_results",
		);
		assert.equal(total, stored?.total);
		assert.ok(total > moreThan);
		return total;
	}

	/** The stages find the live colour at work, and the other one, where there is one, at rest. */
	async function assertStages(live: Color): Promise<void> {
		const { colors } = await project.colorOutputs();
		const idle = otherColor(live);
		for (const [color, words] of [
			[live, ["served", "totals come from the cache", "worker is working"]],
			[idle, ["refused", "is bypassed", "worker is resting"]],
		] as const) {
			const generation = colors[color]?.generation;
			if (generation !== undefined) {
				const database = await project.colorConnection(color, generation);
				const url = await project.serviceUrl(color);
				const [writes, ofCache, ofQueue] = words;
				assert.match(await stage("cache", url, database, writes), new RegExp(ofCache));
				assert.match(await stage("queue", url, database, writes), new RegExp(ofQueue));
			}
		}
	}

	async function stage(
		name: string,
		url: string,
		database: Connection,
		writes: "served" | "refused",
	): Promise<string> {
		const surroundings = {
			name,
			environment: "staging",
			strategy: "blue-green",
			release: "1.4.0",
			url,
			writes,
			owner: database,
			application: database,
			settings: { platform: "local", serviceEntry: "service/main.ts", migrationsDirectory: "migrations" },
		};
		const program = Program.start(`stages/${name}.ts`, [], stageEnvironment(surroundings, process.env));
		assert.equal(await program.exitCode(), 0, program.output);
		return program.output;
	}

	async function request(
		path: string,
		content?: unknown,
		headers: Record<string, string> = {},
	): Promise<{ status: number; body: unknown }> {
		const reply = await fetch(project.url + path, {
			signal: AbortSignal.timeout(10_000),
			...(content !== undefined && {
				method: "POST",
				headers: { "content-type": "application/json", ...headers },
				body: JSON.stringify(content),
			}),
		});
		return { status: reply.status, body: await reply.json() };
	}
});

interface HandedIn {
	/** The count type of all its results. */
	name: string;
	jobId: string;
}
