import type { FastifyInstance } from "fastify";
import { DatabaseError } from "pg";
import { z } from "zod";
import { idText, limitText, textField } from "./fields";
import { Problem, parseRequest } from "./problem";
import { notInThisRelease } from "./schema-version";
import type { ServiceContext } from "./server";

const FOREIGN_KEY_VIOLATION = "23503";

const status = z
	.string("must be a word of lower-case letters, as in active")
	.regex(
		/^[a-z][a-z0-9_-]{0,19}$/,
		"must be a word of at most 20 lower-case letters, digits, - and _, as in active",
	);
const metadata = z.record(z.string(), z.json(), "must be an object");

const newCamera = z.strictObject({
	cameraName: textField(100),
	location: textField(255).nullable().optional(),
	status: status.optional(),
	metadata: metadata.optional(),
});

const cameraChange = newCamera
	.partial()
	.refine((change) => Object.keys(change).length > 0, "is empty: give at least one field to change");

const cameraPath = z.strictObject({ id: idText });
const listQuery = z.strictObject({ limit: limitText(100, 1000), cursor: idText.optional() });

type CameraField = keyof z.infer<typeof newCamera>;

const COLUMNS: Record<CameraField, string> = {
	cameraName: "camera_name",
	location: "location",
	status: "status",
	metadata: "metadata",
};

interface Camera {
	id: number;
	cameraName: string;
	location: string | null;
	status: string;
	createdAt: string;
	metadata?: Record<string, unknown>;
}

/** The endpoints under /cameras. */
export function cameraRoutes(app: FastifyInstance, { config, features, database }: ServiceContext): void {
	const pool = database.requests;
	const selection = `id, camera_name AS "cameraName", location, status, created_at AS "createdAt"${
		features.cameraMetadata ? ", metadata" : ""
	}`;

	function writtenFields(body: z.infer<typeof cameraChange>): CameraField[] {
		if (body.metadata !== undefined && !features.cameraMetadata) {
			throw notInThisRelease(config, "metadata of cameras", "1.1.0");
		}
		return (Object.keys(COLUMNS) as CameraField[]).filter((field) => body[field] !== undefined);
	}

	app.get("/cameras", async (request) => {
		const { limit, cursor } = parseRequest("query", listQuery, request.query);
		const { rows } = await pool.query<Camera>(
			`SELECT ${selection} FROM cameras WHERE id > $1 ORDER BY id LIMIT $2`,
			[cursor ?? 0, limit + 1],
		);
		const cameras = rows.slice(0, limit);
		return { cameras, nextCursor: rows.length > limit ? String(cameras.at(-1)?.id) : null };
	});

	app.post("/cameras", async (request, reply) => {
		const body = parseRequest("body", newCamera, request.body);
		const fields = writtenFields(body);
		const { rows } = await pool.query<Camera>(
			`INSERT INTO cameras (${fields.map((field) => COLUMNS[field]).join(", ")})
			VALUES (${fields.map((_, index) => `$${index + 1}`).join(", ")}) RETURNING ${selection}`,
			fields.map((field) => body[field]),
		);
		return reply.code(201).send(rows[0]);
	});

	app.get("/cameras/:id", async (request) => {
		const { id } = parseRequest("path", cameraPath, request.params);
		const { rows } = await pool.query<Camera>(`SELECT ${selection} FROM cameras WHERE id = $1`, [id]);
		return rows[0] ?? notFound(id);
	});

	app.patch("/cameras/:id", async (request) => {
		const { id } = parseRequest("path", cameraPath, request.params);
		const body = parseRequest("body", cameraChange, request.body);
		const fields = writtenFields(body);
		const { rows } = await pool.query<Camera>(
			`UPDATE cameras SET ${fields.map((field, index) => `${COLUMNS[field]} = $${index + 2}`).join(", ")}
			WHERE id = $1 RETURNING ${selection}`,
			[id, ...fields.map((field) => body[field])],
		);
		return rows[0] ?? notFound(id);
	});

	app.delete("/cameras/:id", async (request, reply) => {
		const { id } = parseRequest("path", cameraPath, request.params);
		try {
			const { rowCount } = await pool.query("DELETE FROM cameras WHERE id = $1", [id]);
			return rowCount === 0 ? notFound(id) : reply.code(204).send();
		} catch (error) {
			if (error instanceof DatabaseError && error.code === FOREIGN_KEY_VIOLATION) {
				const message = `camera ${id} has counting results: set its status to inactive instead`;
				throw new Problem(409, "camera_in_use", message, [], { cause: error });
			}
			throw error;
		}
	});
}

function notFound(id: number): never {
	throw new Problem(404, "camera_not_found", `there is no camera ${id}`);
}
