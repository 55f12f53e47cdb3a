import { randomBytes } from "node:crypto";
import { type Client, escapeIdentifier, escapeLiteral, type QueryResultRow } from "pg";
import { withClient } from "../../components/database/connection";
import { type CopyOptions, copyData } from "../../components/replication/copy";
import type { Node } from "../../components/replication/node";
import { type TestDatabase, testDatabase, testServer } from "../support/postgres";

export const SLOT = "copying_1_to_2";

/** Two databases, of which one is copied to the other. */
export class CopyBench {
	readonly lines: string[] = [];
	readonly steps: string[] = [];

	private constructor(
		readonly source: Node,
		readonly target: Node,
		private readonly databases: TestDatabase[],
		private readonly role: string,
	) {}

	static async make(): Promise<CopyBench> {
		const admin = await testServer();
		const role = `copier_${randomBytes(6).toString("hex")}`;
		const password = randomBytes(12).toString("hex");
		await withClient(admin, { applicationName: "test" }, async (client) => {
			await client.query(
				`CREATE ROLE ${escapeIdentifier(role)} LOGIN REPLICATION PASSWORD ${escapeLiteral(password)}`,
			);
			await client.query(`GRANT pg_read_all_data TO ${escapeIdentifier(role)}`);
		});
		const databases = [await testDatabase(), await testDatabase()];
		const node = ({ superuser, owner }: TestDatabase, generation: number): Node => ({
			base: "copying",
			color: generation === 1 ? "blue" : "green",
			generation,
			admin: superuser,
			owner: owner.user,
			replication: { ...superuser, user: role, password },
		});
		return new CopyBench(node(databases[0]!, 1), node(databases[1]!, 2), databases, role);
	}

	async remove(): Promise<void> {
		await this.inSource(
			"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
			[SLOT],
		);
		for (const database of this.databases) await database.drop();
		const admin = await testServer();
		await withClient(admin, { applicationName: "test" }, (client) =>
			client.query(`DROP ROLE ${escapeIdentifier(this.role)}`),
		);
	}

	/** The same schema on both sides, and a publication of all that is in the source. */
	async schema(sql: string): Promise<void> {
		await this.inSource(sql);
		await this.inTarget(sql);
		await this.inSource(`CREATE PUBLICATION ${SLOT} FOR ALL TABLES`);
	}

	get options() {
		return {
			source: this.source,
			target: this.target,
			slot: SLOT,
			workers: 3,
			verification: "checksums",
			timeoutMs: 60_000,
			slotTimeoutMs: 30_000,
		} as const;
	}

	copy(changed: Partial<CopyOptions> = {}): ReturnType<typeof copyData> {
		return copyData({
			...this.options,
			log: (line) => this.lines.push(line),
			step: async (name) => {
				this.steps.push(name);
			},
			...changed,
		});
	}

	async inSource<T extends QueryResultRow = QueryResultRow>(sql: string, values?: unknown[]): Promise<T[]> {
		return this.withSource(async (client) => (await client.query(sql, values)).rows as T[]);
	}

	async inTarget<T extends QueryResultRow = QueryResultRow>(sql: string, values?: unknown[]): Promise<T[]> {
		return withClient(
			this.target.admin,
			{ applicationName: "test" },
			async (client) => (await client.query(sql, values)).rows as T[],
		);
	}

	withSource<T>(work: (client: Client) => Promise<T>): Promise<T> {
		return withClient(this.source.admin, { applicationName: "test" }, work);
	}

	/** Rows of both sides, which the caller compares. */
	async both(sql: string): Promise<[unknown[], unknown[]]> {
		return [await this.inSource(sql), await this.inTarget(sql)];
	}

	async slots(): Promise<string[]> {
		const rows = await this.inSource<{ slot_name: string }>(
			"SELECT slot_name FROM pg_replication_slots WHERE database = current_database() ORDER BY 1",
		);
		return rows.map(({ slot_name }) => slot_name);
	}

	/** How many sessions of copies are left on either side. */
	async sessions(): Promise<number> {
		const [row] = await this.inSource<{ count: number }>(
			`SELECT count(*)::integer FROM pg_stat_activity
			WHERE application_name = 'deployment-copy' AND datname = ANY ($1)`,
			[[this.source.admin.database, this.target.admin.database]],
		);
		return row!.count;
	}
}
