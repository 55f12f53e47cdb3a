import { randomBytes } from "node:crypto";
import { escapeIdentifier, escapeLiteral } from "pg";
import { type Connection, withClient } from "../../components/database/connection";
import { closeFence, installFence, keepFenceClosed, openFence } from "../../components/traffic/write-fence";
import { prepareQueue } from "../../service/queue/schema";
import { type TestDatabase, testDatabase } from "../support/postgres";
import { query } from "../support/project";
import { createSchema, queueEnvironment, RunningService } from "./running-service";

const SESSION = { applicationName: "test" };
/** Milliseconds that closing may take. */
const CLOSE_MS = 10_000;

/** A colour's database behind its write fence, with one camera, a queue beside it, and services of release 1.4.0 on both. */
export class FencedColor {
	private readonly services: RunningService[] = [];
	private epoch = 1;

	private constructor(
		private readonly database: TestDatabase,
		private readonly queueDatabase: TestDatabase,
		/** As the role that a service uses, which the fence stops. */
		readonly application: Connection,
		readonly cameraId: number,
	) {}

	/** Makes one that is open. */
	static async create(): Promise<FencedColor> {
		const [database, queue] = await Promise.all([testDatabase(), testDatabase()]);
		await createSchema(database.owner, "1.4.0");
		const user = `app_${randomBytes(6).toString("hex")}`;
		const password = randomBytes(12).toString("hex");
		const role = escapeIdentifier(user);
		await query(database.superuser, `CREATE ROLE ${role} LOGIN PASSWORD ${escapeLiteral(password)}`);
		for (const statement of [
			`GRANT USAGE ON SCHEMA deployment TO ${role}`,
			`GRANT SELECT ON deployment.schema_version TO ${role}`,
			`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`,
			`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`,
		]) {
			await query(database.owner, statement);
		}
		await withClient(queue.owner, SESSION, (client) => prepareQueue(client, user));
		const [camera] = await query<{ id: number }>(
			database.owner,
			"INSERT INTO cameras (camera_name) VALUES ('Gate 1') RETURNING id",
		);
		const color = new FencedColor(database, queue, { ...database.owner, user, password }, camera!.id);
		await withClient(database.superuser, SESSION, (client) =>
			installFence(client, database.owner.user, CLOSE_MS),
		);
		await color.open();
		return color;
	}

	async service(overrides: Record<string, string> = {}): Promise<RunningService> {
		const service = await RunningService.start(this.application, {
			RELEASE: "1.4.0",
			REQUIRED_SCHEMA: "1.4.0",
			POOL_SIZE: "3",
			...queueEnvironment({ ...this.application, database: this.queueDatabase.owner.database }),
			...overrides,
		});
		this.services.push(service);
		return service;
	}

	/** Gives it the traffic. */
	open(): Promise<void> {
		return withClient(this.database.superuser, SESSION, (client) => openFence(client, this.epoch++));
	}

	/** Takes the traffic away for good. */
	close(): Promise<void> {
		return withClient(this.database.superuser, SESSION, async (client) => {
			await closeFence(client, CLOSE_MS, CLOSE_MS);
			await keepFenceClosed(client);
		});
	}

	/** Adds a result the way replication does: past the fence, and nobody is told. */
	async replicate(countType: string, countValue: number, createdAt: string): Promise<void> {
		await withClient(this.database.superuser, SESSION, async (client) => {
			await client.query("SET session_replication_role = replica");
			await client.query(
				"INSERT INTO counting_results (camera_id, count_type, count_value, created_at) VALUES ($1, $2, $3, $4)",
				[this.cameraId, countType, countValue, createdAt],
			);
		});
	}

	get superuser(): Connection {
		return this.database.superuser;
	}

	/** How often each count type was stored. */
	async stored(): Promise<Record<string, number>> {
		const rows = await query<{ name: string; times: number }>(
			this.superuser,
			"SELECT count_type AS name, count(*)::INTEGER AS times FROM counting_results GROUP BY 1 ORDER BY 1",
		);
		return Object.fromEntries(rows.map(({ name, times }) => [name, times]));
	}

	/** Runs a statement in the queue's database, as its superuser or as the role given. */
	inQueue(sql: string, values: unknown[] = [], { user, password } = this.queueDatabase.superuser) {
		const { database } = this.queueDatabase.owner;
		return query({ ...this.queueDatabase.superuser, database, user, password }, sql, values);
	}

	/** Ends every service and puts the database back to one open colour without results or jobs. */
	async reset(): Promise<void> {
		await Promise.all(this.services.splice(0).map((service) => service.stop("SIGKILL")));
		await this.open();
		await query(this.superuser, "TRUNCATE counting_results, ingested_batches");
		await this.inQueue("TRUNCATE pgboss.job, pgboss.archive");
	}

	async drop(): Promise<void> {
		await Promise.all(this.services.splice(0).map((service) => service.stop("SIGKILL")));
		const { user } = this.application;
		for (const { superuser } of [this.database, this.queueDatabase]) {
			await query(superuser, `DROP OWNED BY ${escapeIdentifier(user)}`);
		}
		await query(this.superuser, `DROP ROLE ${escapeIdentifier(user)}`);
		await this.database.drop();
		await this.queueDatabase.drop();
	}
}
