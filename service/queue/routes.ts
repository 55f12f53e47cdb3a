import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { Problem, parseRequest } from "../problem";
import { notInThisRelease } from "../schema-version";
import type { ServiceContext } from "../server";

const jobPath = z.strictObject({ id: z.guid("must be the jobId that a batch was answered with") });

/** GET /jobs and /jobs/:id, which a release before schema 1.4.0 does not have. */
export function jobRoutes(app: FastifyInstance, { config, queue, worker }: ServiceContext): void {
	if (queue === undefined) {
		const refuse = async () => {
			throw notInThisRelease(config, "the queue", "1.4.0");
		};
		app.get("/jobs", refuse);
		app.get("/jobs/:id", refuse);
		return;
	}

	app.get("/jobs", async () => ({ worker: worker?.state ?? "resting", waiting: await queue.waiting() }));

	app.get("/jobs/:id", async (request) => {
		const { id } = parseRequest("path", jobPath, request.params);
		const job = await queue.find(id);
		if (job === undefined) {
			throw new Problem(404, "job_not_found", `there is no job ${id}, or none any more`);
		}
		return job;
	});
}
