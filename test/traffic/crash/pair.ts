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
import { type Color, nodeName, otherColor } from "../../../components/replication/node";
import { type InStepOptions, putInStep } from "../../../components/replication/put-in-step";
import type { Side } from "../../../components/traffic/cutover";
import { GatewayRouter } from "../../../components/traffic/local/gateway-router";
import { type Move, type MoveOptions, moveTraffic } from "../../../components/traffic/move-traffic";
import { RunningGateway } from "../../gateway/running-gateway";
import { WorkloadApp } from "../workload/app";
import { openAccounts, TABLES } from "../workload/schema";

const SESSION = { applicationName: "test" };

/** A colour with the service in front of it. */
export interface PairColor extends Side {
	owner: Connection;
	app: WorkloadApp;
	release: string;
}

/** What a process of its own can be told to do. */
export type CopyOrder = Omit<InStepOptions, "log" | "step">;
export type MoveOrder = Omit<MoveOptions, "log" | "step" | "router" | "onCutover"> & { stateFile: string };

const LIMITS: MoveOptions["limits"] = {
	catchUpTimeoutMs: 30_000,
	maxLagBytes: 1 << 20,
	longTransactionMs: 10_000,
	endLongTransactions: false,
	healthTimeoutMs: 20_000,
	slotTimeoutMs: 30_000,
	pauseTimeoutMs: 15_000,
};

/** A live colour and one beside it, with a service each and the gateway in front of them. */
export class Pair {
	live!: PairColor;
	idle: PairColor | undefined;
	/** What copies and cutovers in this process have told. */
	readonly told: string[] = [];
	private generations = 0;

	private constructor(
		readonly servers: ColorServers,
		readonly catalog: Connection,
		readonly deploymentId: number,
		readonly gateway: RunningGateway,
		private readonly directory: string,
	) {}

	/**
	 * Makes a live colour.
	 *
	 * @param green the second colour's server; the same as the first's when it is left out
	 */
	static async start(blue: Connection, green: Connection = blue): Promise<Pair> {
		const base = `c_${randomBytes(4).toString("hex")}`;
		const replicationPassword = randomBytes(12).toString("hex");
		const replicationUser = `${base}_replication`;
		for (const server of new Set([blue, green])) {
			await statements(
				server,
				`CREATE ROLE ${replicationUser} LOGIN REPLICATION BYPASSRLS IN ROLE pg_read_all_data PASSWORD ${escapeLiteral(replicationPassword)}`,
			);
		}
		await statements(blue, `CREATE DATABASE ${base}_catalog`);
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
		const servers = { base, blue, green, replicationUser, replicationPassword };
		const directory = mkdtempSync(join(tmpdir(), "pair-"));
		const pair = new Pair(servers, catalog, deploymentId, await RunningGateway.start(), directory);
		pair.live = await pair.make("blue");
		await migrate({ ...pair.runOptions(pair.live), wanted: [MIGRATION], appliedBy: "test" });
		await withClient(pair.live.owner, SESSION, openAccounts);
		await pair.move(pair.live);
		return pair;
	}

	/** Makes an empty colour beside the live one. */
	async addIdle(): Promise<PairColor> {
		this.idle = await this.make(otherColor(this.live.node.color));
		return this.idle;
	}

	/** Gives the idle colour everything that the live one has, and keeps it in step. */
	putInStep(): Promise<boolean> {
		return putInStep({ ...this.copyOrder(), log: (line) => this.told.push(line) });
	}

	/** Moves the traffic to one of the two, as an update does. */
	async move(to: PairColor, changes: Partial<MoveOptions> = {}): Promise<Move> {
		const { stateFile, ...options } = this.moveOrder(to);
		const move = await moveTraffic({
			...options,
			router: new GatewayRouter(stateFile),
			log: (line) => this.told.push(line),
			...changes,
		});
		if (to !== this.live) {
			this.idle = this.live;
			this.live = to;
		}
		return move;
	}

	copyOrder(): CopyOrder {
		const fresh = this.idle!;
		const { log: _, ...run } = this.runOptions(fresh);
		return {
			...run,
			source: this.live.node,
			target: fresh.node,
			targetOwner: fresh.owner,
			migrations: run.settings,
			wanted: [MIGRATION],
			appliedBy: "test",
			workers: 2,
			verification: "checksums",
			copyTimeoutMs: 60_000,
			slotTimeoutMs: LIMITS.slotTimeoutMs,
			catchUpTimeoutMs: LIMITS.catchUpTimeoutMs,
			maxLagBytes: LIMITS.maxLagBytes,
		};
	}

	moveOrder(to: PairColor, limits: Partial<MoveOptions["limits"]> = {}): MoveOrder {
		const other = to === this.live ? this.idle : this.live;
		return {
			servers: this.servers,
			live: declared(to),
			...(other && { idle: declared(other) }),
			publicUrl: this.gateway.url,
			stateFile: this.gateway.statePath,
			limits: { ...LIMITS, ...limits },
		};
	}

	/** Ends the idle colour, as an update does that no longer declares it. */
	async dropIdle(): Promise<void> {
		const gone = this.idle;
		this.idle = undefined;
		if (gone !== undefined) {
			await this.drop(gone);
		}
	}

	/** Removes everything. */
	async remove(): Promise<void> {
		await this.gateway.stop();
		await this.dropIdle();
		await this.drop(this.live);
		const { base, blue, green, replicationUser } = this.servers;
		await statements(blue, `DROP DATABASE ${base}_catalog WITH (FORCE)`);
		for (const server of new Set([blue, green])) {
			await statements(server, `DROP ROLE ${replicationUser}`);
		}
		rmSync(this.directory, { recursive: true, force: true });
	}

	private runOptions({ node, owner }: Pick<PairColor, "node" | "owner">): RunOptions {
		return {
			target: owner,
			targetName: node.admin.database,
			catalog: this.catalog,
			deploymentId: this.deploymentId,
			settings: {
				lockTimeoutMs: 1000,
				lockRetries: 10,
				statementTimeoutMs: 60_000,
				advisoryLockTimeoutMs: 10_000,
				allowOutOfOrder: false,
			},
			backupDirectory: this.directory,
			log: (line) => this.told.push(line),
		};
	}

	private async make(color: Color): Promise<PairColor> {
		const node = nodeOf(this.servers, color, ++this.generations);
		const { database } = node.admin;
		const application = `${database}_app`;
		const password = randomBytes(12).toString("hex");
		await statements(
			this.servers[color],
			`CREATE ROLE ${node.owner} LOGIN PASSWORD ${escapeLiteral(password)}`,
			`CREATE ROLE ${application} LOGIN PASSWORD ${escapeLiteral(password)}`,
			`CREATE DATABASE ${database} OWNER ${node.owner}`,
		);
		const defaults = `ALTER DEFAULT PRIVILEGES FOR ROLE ${node.owner}`;
		await statements(
			node.admin,
			`${defaults} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${application}`,
			`${defaults} GRANT SELECT, USAGE ON SEQUENCES TO ${application}`,
		);
		const release = `1.0.${node.generation}`;
		const app = await WorkloadApp.start({
			database: { ...node.admin, user: application, password },
			release,
			poolSize: 6,
		});
		return {
			node,
			owner: { ...node.admin, user: node.owner, password },
			app,
			release,
			target: { targetGroup: nodeName(node), url: app.url },
		};
	}

	private async drop({ app, node }: PairColor): Promise<void> {
		const { color, generation, admin, owner } = node;
		await app.stop();
		await detachNode(this.servers, color, generation);
		await statements(
			this.servers[color],
			`DROP DATABASE ${escapeIdentifier(admin.database)} WITH (FORCE)`,
			`DROP ROLE ${owner}`,
			`DROP ROLE ${admin.database}_app`,
		);
	}
}

function declared({ node, release, target }: PairColor): MoveOptions["live"] {
	return { color: node.color, generation: node.generation, release, ...target };
}

const SQL = `${TABLES}; GRANT USAGE ON SCHEMA "Größen" TO PUBLIC`;

/** The workload's tables. */
const MIGRATION: Migration = {
	version: "1.0.0",
	name: "create_workload",
	type: "schema",
	dependsOn: [],
	up: { sql: SQL, transaction: true, line: 1 },
	irreversible: "a test does not undo it",
	checksum: createHash("sha256").update(SQL).digest("hex"),
	path: "workload",
};

/** Runs statements one by one. */
export async function statements(connection: Connection, ...all: string[]): Promise<void> {
	await withClient(connection, SESSION, async (client) => {
		for (const statement of all) {
			await client.query(statement);
		}
	});
}
