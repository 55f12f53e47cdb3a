import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const FOLDER = ".github/workflows";

const stepSchema = z.object({ run: z.string().optional(), uses: z.string().optional() });
const concurrencySchema = z.object({ group: z.string() }).loose().optional();
const jobSchema = z.object({
	concurrency: concurrencySchema,
	uses: z.string().optional(),
	permissions: z.record(z.string(), z.string()).default({}),
	"timeout-minutes": z.number().optional(),
	steps: z.array(stepSchema).default([]),
});
const workflowSchema = z.object({
	permissions: z.record(z.string(), z.string()),
	concurrency: concurrencySchema,
	jobs: z.record(z.string(), jobSchema),
});

describe("the workflows", () => {
	const files = readdirSync(FOLDER).map((file) => {
		const text = readFileSync(join(FOLDER, file), "utf8");
		return { file, text, ...workflowSchema.parse(parse(text)) };
	});
	const jobs = files.flatMap(({ file, jobs: all }) =>
		Object.entries(all).map(([name, job]) => ({ name: `${file} ${name}`, ...job })),
	);

	it("may write nothing but what is said of them", () => {
		const written = (permissions: Record<string, string>) =>
			Object.keys(permissions).filter((scope) => permissions[scope] === "write");
		const found = files.flatMap(({ file, permissions, jobs: all }) => [
			...written(permissions).map((scope) => `${file} ${scope}`),
			...Object.entries(all).flatMap(([job, own]) =>
				written(own.permissions).map((scope) => `${file} ${job} ${scope}`),
			),
		]);
		assert.deepEqual(found.sort(), [
			"deploy.yml id-token",
			"drift.yml id-token",
			"drift.yml issues",
			"preview.yml preview id-token",
			"preview.yml preview pull-requests",
			"rollback.yml id-token",
			"scan.yml code security-events",
			"update.yml id-token",
		]);
	});

	it("take actions by their commit, with the version in a comment", () => {
		const used = files.flatMap(({ file, text }) =>
			[...text.matchAll(/uses: (.*)/g)].map(([, what]) => ({ file, what: what! })),
		);
		const others = used.filter(({ what }) => !what.startsWith("./"));
		assert.ok(others.length > 10);
		for (const { file, what } of others) {
			assert.match(what, /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
		}
	});

	it("keep every update of a stack that waits for its turn", () => {
		const groups = files.flatMap(({ file, concurrency, jobs: own }) =>
			[concurrency, ...Object.values(own).map((job) => job.concurrency)].flatMap((found) =>
				found?.group.startsWith("stack-") ? [{ ...found, group: file }] : [],
			),
		);
		const kept = { "cancel-in-progress": false, queue: "max" };
		assert.deepEqual(groups, [
			{ group: "drift.yml", ...kept },
			{ group: "update.yml", ...kept },
		]);
	});

	it("end by themselves", () => {
		const own = jobs.filter(({ uses }) => uses === undefined);
		assert.deepEqual(
			own.filter((job) => job["timeout-minutes"] === undefined).map(({ name }) => name),
			[],
		);
	});

	it("run npm's commands alone", () => {
		const run = jobs.flatMap(({ steps }) => steps.flatMap((step) => step.run ?? []));
		assert.ok(run.length > 10);
		assert.deepEqual(
			run.filter((command) => !/^npm (ci|test|run [\w:-]+)( |$)/.test(command)),
			[],
		);
	});
});
