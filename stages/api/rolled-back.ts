import assert from "node:assert/strict";
import type { FastifyInstance, InjectOptions } from "fastify";
import { Client, type Pool } from "pg";
import pino from "pino";
import { ColorWatch } from "../../service/color-watch";
import { readConfig, type ServiceConfig } from "../../service/config";
import { clientSettings } from "../../service/database";
import { createServer } from "../../service/server";
import type { Report } from "../report";
import type { Surroundings } from "../surroundings";
import { hasResults } from "./over-http";
import { expectAnswer, request } from "./request";
import {
	cameraSchema,
	camerasSchema,
	hourlySchema,
	problemSchema,
	resultsSchema,
	versionSchema,
} from "./schemas";

const OWN_SERVICE = "service/main.ts";

/**
 * What the service writes, tested by the release's own code on the release's own database, in a transaction that is
 * rolled back, as the owner, whom the write fence lets through.
 */
export async function testWrites(url: string, surroundings: Surroundings, report: Report): Promise<void> {
	const { settings, owner, release, writes } = surroundings;
	if (settings.serviceEntry !== OWN_SERVICE) {
		report.skip("the service's writes", `${settings.serviceEntry} is a service that these tests do not know`);
		return;
	}
	const { requiredSchema } = expectAnswer(await request(url, "/version"), 200, versionSchema);
	const target = {
		PGHOST: owner.host,
		PGPORT: String(owner.port),
		PGDATABASE: owner.database,
		PGUSER: owner.user,
		PGPASSWORD: owner.password,
		PGSSLMODE: owner.sslMode,
	};
	const config = readConfig({
		...target,
		// Required of a release with a queue; none is opened here.
		...Object.fromEntries(Object.entries(target).map(([name, value]) => [`QUEUE_${name}`, value])),
		PORT: "0",
		RELEASE: release,
		REQUIRED_SCHEMA: requiredSchema,
		SCHEMA_COMPATIBILITY: "any-newer",
	});
	const camera = await inRolledBackTransaction(config, async (client) => {
		if (writes === "refused") {
			await restartSequences(client);
		}
		const pool = onePool(client);
		const log = pino({ level: "silent" });
		const database = { requests: pool, readiness: pool, close: async () => {} };
		// It is never started: a watched colour would let the cache answer.
		const app = createServer({ config, database, watch: new ColorWatch(config, log) }, log);
		try {
			const id = await testCameras(app, report);
			if (id !== undefined && hasResults(requiredSchema)) {
				await testResults(app, id, report);
			}
			return id;
		} finally {
			await app.close();
		}
	});
	await report.check("nothing of this is left", async () => {
		if (camera !== undefined) {
			expectAnswer(await request(url, `/cameras/${camera}`), 404, problemSchema);
		}
	});
}

async function inRolledBackTransaction<T>(
	config: ServiceConfig,
	work: (client: Client) => Promise<T>,
): Promise<T> {
	const client = new Client({ ...clientSettings(config), statement_timeout: config.statementTimeoutMs });
	// Lost, it ends with an error of the next query; the transaction is then gone as well.
	client.on("error", () => {});
	await client.connect();
	try {
		await client.query("BEGIN READ WRITE; SET LOCAL lock_timeout = '5s'");
		return await work(client);
	} finally {
		await client.query("ROLLBACK").catch(() => {});
		await client.end();
	}
}

/**
 * What the service takes for its pool: one connection in an open transaction, which outlives a refused statement. A
 * real pool would drop the connection then and go on outside the transaction.
 */
function onePool(client: Client): Pool {
	let last: Promise<unknown> = Promise.resolve();
	const guarded = async (text: string, values: unknown[]) => {
		await client.query("SAVEPOINT statement");
		try {
			const result = await client.query(text, values);
			await client.query("RELEASE SAVEPOINT statement");
			return result;
		} catch (error) {
			await client.query("ROLLBACK TO SAVEPOINT statement");
			throw error;
		}
	};
	const query = (text: string, values: unknown[] = []) => {
		const result = last.then(() => guarded(text, values));
		last = result.catch(() => {});
		return result;
	};
	return { query } as unknown as Pool;
}

/**
 * Where nobody else draws from them, sequences begin anew above all ids, which the end of the transaction takes back:
 * otherwise each test would leave a gap, and those of a copied database would give ids that are there already.
 */
async function restartSequences(client: Client): Promise<void> {
	const { rows } = await client.query<{ sequence: string; table: string; column: string }>(
		`SELECT format('%I.%I', namespace.nspname, sequence.relname) AS sequence, refobjid::regclass::text AS "table",
			quote_ident(attname) AS "column"
		FROM pg_depend
		JOIN pg_class AS sequence ON sequence.oid = objid AND sequence.relkind = 'S'
		JOIN pg_namespace AS namespace ON namespace.oid = sequence.relnamespace
		JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
		WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
			AND nspname = 'public'`,
	);
	for (const { sequence, table, column } of rows) {
		const { rows: found } = await client.query<{ next: string }>(
			`SELECT (least(coalesce(max(${column}), 0) + 1000000, 2147483000))::text AS next FROM ${table}`,
		);
		await client.query(`ALTER SEQUENCE ${sequence} RESTART WITH ${found[0]!.next}`);
	}
}

async function testCameras(app: FastifyInstance, report: Report): Promise<number | undefined> {
	let id: number | undefined;
	await report.check("a camera is made, found, changed", async () => {
		const made = await send(app, "POST", "/cameras", { cameraName: "north gate", location: "Hà Nội" });
		const camera = expectAnswer(made, 201, cameraSchema);
		assert.deepEqual([camera.cameraName, camera.location, camera.status], ["north gate", "Hà Nội", "active"]);
		assert.deepEqual(
			expectAnswer(await send(app, "GET", `/cameras/${camera.id}`), 200, cameraSchema),
			camera,
		);
		const changed = await send(app, "PATCH", `/cameras/${camera.id}`, { status: "inactive" });
		assert.deepEqual(expectAnswer(changed, 200, cameraSchema), { ...camera, status: "inactive" });
		const cursor = camera.id === 1 ? "" : `&cursor=${camera.id - 1}`;
		const listed = await send(app, "GET", `/cameras?limit=1${cursor}`);
		assert.equal(expectAnswer(listed, 200, camerasSchema).cameras[0]?.id, camera.id);
		id = camera.id;
	});
	await report.check("a camera without results is deleted", async () => {
		const made = await send(app, "POST", "/cameras", { cameraName: "for a moment" });
		const path = `/cameras/${expectAnswer(made, 201, cameraSchema).id}`;
		assert.equal((await send(app, "DELETE", path)).status, 204);
		expectAnswer(await send(app, "GET", path), 404, problemSchema);
	});
	return id;
}

async function testResults(app: FastifyInstance, cameraId: number, report: Report): Promise<void> {
	await report.check("a batch of results is stored as it was sent", async () => {
		const at = (minute: number) => `2026-01-31T08:0${minute}:00Z`;
		const batch = [1, 2, 3].map((minute) => ({
			cameraId,
			countType: "person",
			countValue: minute,
			confidenceScore: 0.5,
			createdAt: at(minute),
		}));
		assert.equal((await send(app, "POST", "/counting-results/batch", batch)).status, 201);
		const found = await send(app, "GET", `/counting-results?cameraId=${cameraId}`);
		assert.deepEqual(
			expectAnswer(found, 200, resultsSchema).results.map(({ id: _, ...result }) => result),
			[...batch].reverse(),
		);
		const range = "from=2026-01-31T08:00:00Z&to=2026-01-31T09:00:00Z";
		const hours = await send(app, "GET", `/counting-results/hourly?cameraId=${cameraId}&${range}`);
		assert.deepEqual(
			expectAnswer(hours, 200, hourlySchema).hours.map(({ total, results }) => ({ total, results })),
			[{ total: 6, results: 3 }],
		);
	});
	await report.check("a camera with results stays", async () => {
		const refused = await send(app, "DELETE", `/cameras/${cameraId}`);
		assert.equal(expectAnswer(refused, 409, problemSchema).error, "camera_in_use");
	});
}

async function send(
	app: FastifyInstance,
	method: "GET" | "POST" | "PATCH" | "DELETE",
	path: string,
	body?: InjectOptions["payload"],
): Promise<{ status: number; body: unknown }> {
	const reply = await app.inject({ method, url: path, ...(body !== undefined && { payload: body }) });
	return { status: reply.statusCode, body: reply.body === "" ? undefined : JSON.parse(reply.body) };
}
