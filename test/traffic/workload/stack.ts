import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { escapeIdentifier, escapeLiteral } from "pg";
import { openDeployment } from "../../../components/catalog/deployments";
import { upgradeCatalog } from "../../../components/catalog/upgrade";
import { type Connection, withClient } from "../../../components/database/connection";
import type { Migration } from "../../../components/migrations/migration";
import type { RunOptions } from "../../../components/migrations/options";
import { migrate } from "../../../components/migrations/run";
import { detachNode } from "../../../components/replication/detach";
import { type ColorServers, nodeOf } from "../../../components/replication/environment";
import { type Color, type Node, nodeName, otherColor } from "../../../components/replication/node";
import { putInStep } from "../../../components/replication/put-in-step";
import type { Side } from "../../../components/traffic/cutover";
import { GatewayRouter } from "../../../components/traffic/local/gateway-router";
import { type Move, type MoveOptions, moveBack, moveTraffic } from "../../../components/traffic/move-traffic";
import { RunningGateway } from "../../gateway/running-gateway";
import { WorkloadApp } from "./app";
import { openAccounts, TABLES } from "./schema";

const SESSION = { applicationName: "test" };

/** A colour with the service in front of it. */
export interface WorkloadColor extends Side {
	owner: Connection;
	app: WorkloadApp;
	release: string;
}

const LIMITS: MoveOptions["limits"] = {
	catchUpTimeoutMs: 30_000,
	maxLagBytes: 1 << 20,
	longTransactionMs: 10_000,
	endLongTransactions: false,
	healthTimeoutMs: 20_000,
	slotTimeoutMs: 30_000,
	pauseTimeoutMs: 15_000,
};

/** The colours of a stack as the providers make them, with the workload's schema and service and the real gateway. */
export class WorkloadStack {
	live!: WorkloadColor;
	idle: WorkloadColor | undefined;
	readonly told: string[] = [];
	private generations = 0;

	private constructor(
		readonly servers: ColorServers,
		private readonly catalog: Connection,
		private readonly deploymentId: number,
		readonly gateway: RunningGateway,
		private readonly directory: string,
	) {}

	/** @param green the second colour's server; the same as the first's when it is left out */
	static async start(blue: Connection, green: Connection = blue): Promise<WorkloadStack> {
		const base = `p_${randomBytes(4).toString("hex")}`;
		const replicationPassword = randomBytes(12).toString("hex");
		const user = `${base}_replication`;
		for (const server of new Set([blue, green])) {
			await run(
				server,
				`CREATE ROLE ${user} LOGIN REPLICATION BYPASSRLS IN ROLE pg_read_all_data PASSWORD ${escapeLiteral(replicationPassword)}`,
			);
		}
		await run(blue, `CREATE DATABASE ${base}_catalog`);
		const catalog = { ...blue, database: `${base}_catalog` };
		const deploymentId = await withClient(catalog, SESSION, async (client) => {
			await upgradeCatalog(client);
			return openDeployment(client, {
				pipelineName: base,
				release: "1.0.0",
				environment: "staging",
				triggeredBy: "test",
				config: {},
			});
		});
		const servers = { base, blue, green, replicationUser: user, replicationPassword };
		const directory = mkdtempSync(join(tmpdir(), "workload-"));
		const stack = new WorkloadStack(servers, catalog, deploymentId, await RunningGateway.start(), directory);
		stack.live = await stack.make("blue");
		await migrate({ ...stack.run(stack.live), wanted: [workloadMigration()], appliedBy: "test" });
		await withClient(stack.live.owner, SESSION, openAccounts);
		await stack.move(stack.live);
		return stack;
	}

	get url(): string {
		return this.gateway.url;
	}

	/** Builds a new colour from the live one and gives it the traffic; the idle one before it goes. */
	async release(): Promise<Move> {
		const fresh = await this.build();
		const gone = this.idle;
		const move = await this.move(fresh, this.live);
		this.idle = this.live;
		this.live = fresh;
		await this.drop(gone);
		return move;
	}

	/** Builds a new colour that loses the traffic at once, as one does that does not stand its bake, and is given up. */
	async failRelease(): Promise<void> {
		const fresh = await this.build();
		await this.move(fresh, this.live);
		await moveBack(this.options(this.live, fresh), fresh, this.live);
		await this.drop(fresh);
	}

	/** Moves the traffic to the idle colour. */
	async switch(): Promise<Move> {
		const to = this.idle!;
		const move = await this.move(to, this.live);
		this.idle = this.live;
		this.live = to;
		return move;
	}

	/** Moves the traffic to the idle colour and back at once, as a bake that fails does. */
	async failBake(): Promise<void> {
		const to = this.idle!;
		await this.move(to, this.live);
		await moveBack(this.options(this.live, to), to, this.live);
	}

	move(to: WorkloadColor, from?: WorkloadColor): Promise<Move> {
		return moveTraffic(this.options(to, from));
	}

	/** Removes everything. */
	async remove(): Promise<void> {
		await this.gateway.stop();
		await this.drop(this.idle);
		await this.drop(this.live);
		const { base, blue, green, replicationUser } = this.servers;
		await run(blue, `DROP DATABASE ${base}_catalog WITH (FORCE)`);
		for (const server of new Set([blue, green])) {
			await run(server, `DROP ROLE ${replicationUser}`);
		}
		rmSync(this.directory, { recursive: true, force: true });
	}

	private options(to: WorkloadColor, from: WorkloadColor | undefined): MoveOptions {
		return {
			servers: this.servers,
			live: declared(to),
			...(from && { idle: declared(from) }),
			router: new GatewayRouter(this.gateway.statePath),
			publicUrl: this.url,
			limits: LIMITS,
			log: (line) => this.told.push(line),
		};
	}

	private run({
		node,
		owner,
	}: Pick<WorkloadColor, "node" | "owner">): RunOptions & { migrations: RunOptions["settings"] } {
		const settings = {
			lockTimeoutMs: 1000,
			lockRetries: 10,
			statementTimeoutMs: 60_000,
			advisoryLockTimeoutMs: 10_000,
			allowOutOfOrder: false,
		};
		return {
			target: owner,
			targetName: node.admin.database,
			catalog: this.catalog,
			deploymentId: this.deploymentId,
			settings,
			migrations: settings,
			backupDirectory: this.directory,
			log: (line) => this.told.push(line),
		};
	}

	private async build(): Promise<WorkloadColor> {
		const fresh = await this.make(otherColor(this.live.node.color));
		await putInStep({
			...this.run(fresh),
			source: this.live.node,
			target: fresh.node,
			targetOwner: fresh.owner,
			wanted: [workloadMigration()],
			appliedBy: "test",
			workers: 2,
			verification: "checksums",
			copyTimeoutMs: 60_000,
			slotTimeoutMs: LIMITS.slotTimeoutMs,
			catchUpTimeoutMs: LIMITS.catchUpTimeoutMs,
			maxLagBytes: LIMITS.maxLagBytes,
		});
		return fresh;
	}

	private async make(color: Color): Promise<WorkloadColor> {
		const node = nodeOf(this.servers, color, ++this.generations);
		const { database } = node.admin;
		const password = randomBytes(12).toString("hex");
		await run(
			this.servers[color],
			`CREATE ROLE ${node.owner} LOGIN PASSWORD ${escapeLiteral(password)}`,
			`CREATE ROLE ${database}_app LOGIN PASSWORD ${escapeLiteral(password)}`,
			`CREATE DATABASE ${database} OWNER ${node.owner}`,
		);
		await run(
			node.admin,
			...["TABLES", "SEQUENCES"].map(
				(kind) =>
					`ALTER DEFAULT PRIVILEGES FOR ROLE ${node.owner} GRANT ${kind === "TABLES" ? "SELECT, INSERT, UPDATE, DELETE" : "SELECT, USAGE"} ON ${kind} TO ${database}_app`,
			),
		);
		const release = `1.0.${node.generation}`;
		const application = { ...node.admin, user: `${database}_app`, password };
		const app = await WorkloadApp.start({ database: application, release });
		return {
			node,
			owner: { ...node.admin, user: node.owner, password },
			app,
			release,
			target: { targetGroup: nodeName(node), url: app.url },
		};
	}

	private async drop(gone: WorkloadColor | undefined): Promise<void> {
		if (gone === undefined) {
			return;
		}
		const { color, generation, admin, owner } = gone.node;
		await gone.app.stop();
		await detachNode(this.servers, color, generation);
		await run(
			this.servers[color],
			`DROP DATABASE ${escapeIdentifier(admin.database)} WITH (FORCE)`,
			`DROP ROLE ${owner}`,
			`DROP ROLE ${admin.database}_app`,
		);
	}
}

function declared({ node, release, target }: WorkloadColor): MoveOptions["live"] {
	const { color, generation } = node as Node;
	return { color, generation, release, ...target };
}

/** The workload's tables as a migration. */
function workloadMigration(): Migration {
	const sql = `${TABLES}; GRANT USAGE ON SCHEMA "Größen" TO PUBLIC`;
	return {
		version: "1.0.0",
		name: "create_workload",
		type: "schema",
		dependsOn: [],
		up: { sql, transaction: true, line: 1 },
		irreversible: "a test does not undo it",
		checksum: createHash("sha256").update(sql).digest("hex"),
		path: "workload",
	};
}

async function run(server: Connection, ...statements: string[]): Promise<void> {
	await withClient(server, SESSION, async (client) => {
		for (const statement of statements) {
			await client.query(statement);
		}
	});
}
