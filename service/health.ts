import type { FastifyInstance } from "fastify";
import { toProblem } from "./problem";
import { incompatibility, readSchemaVersion, type SchemaVersion } from "./schema-version";
import type { ServiceContext } from "./server";

/** /healthz, /readyz and /version. */
export function healthRoutes(app: FastifyInstance, { config, database }: ServiceContext): void {
	const { instance, release, requiredSchema, compatibility } = config;

	app.get("/healthz", async () => ({ status: "ok", instance, release }));

	app.get("/readyz", async (_, reply) => {
		const { schema, reason } = await findSchema();
		const unfit = schema && incompatibility(requiredSchema, schema.version, compatibility);
		const why = reason ?? unfit ?? null;
		return reply.code(why === null ? 200 : 503).send({
			status: why === null ? "ready" : "not ready",
			reason: why,
			requiredSchema,
			schema: schema?.version ?? null,
		});
	});

	app.get("/version", async () => {
		const { schema } = await findSchema();
		return { service: "counting-api", release, requiredSchema, schema: schema?.version ?? null };
	});

	async function findSchema(): Promise<{ schema?: SchemaVersion; reason?: string }> {
		try {
			return { schema: await readSchemaVersion(database.readiness) };
		} catch (error) {
			app.log.debug({ err: error }, "the schema version cannot be read");
			return { reason: toProblem(error).message };
		}
	}
}
