import assert from "node:assert/strict";
import { z } from "zod";
import type { Connection } from "../../components/database/connection";
import { localNames } from "../../components/release/names";
import { colorDatabase } from "../../components/replication/environment";
import { COLORS, type Color, linkName, otherColor } from "../../components/replication/node";
import { DeployedProject } from "./deployed-project";
import { type EngineName, query } from "./project";
import { until } from "./waiting";

const recordSchema = z.object({
	generation: z.number(),
	release: z.string(),
	database: z.string(),
	url: z.string(),
	migrations: z.record(z.string(), z.unknown()),
});
const outputsSchema = z.object({
	release: z.string(),
	live: z.enum(COLORS),
	colors: z.partialRecord(z.enum(COLORS), recordSchema),
	nextGeneration: z.number(),
});

export type ColorOutputs = z.infer<typeof outputsSchema>;

/** A colour as it should stand. */
export interface StandingColor {
	generation: number;
	release: string;
	/** Of its migrations, in their order. */
	versions: readonly string[];
}

/** How a stack should stand after an update. */
export interface Standing {
	live: Color;
	colors: Partial<Record<Color, StandingColor>>;
	nextGeneration: number;
}

/** The staging stack with both colours on this machine. */
export class BlueGreenProject extends DeployedProject {
	private readonly servers: number;

	constructor(
		engine: EngineName,
		settings: { serverPerColor?: boolean; withoutSuperuser?: boolean; release?: string } = {},
	) {
		super(engine, "staging");
		const { serverPerColor = false, withoutSuperuser = false, release = "1.3.0" } = settings;
		this.servers = serverPerColor ? 2 : 1;
		this.configure({
			platform: "local",
			serviceImage: undefined,
			databaseImage: undefined,
			routerImage: undefined,
			release,
			serverPerColor,
			withoutSuperuser,
			poolSize: 4,
			maxConnections: 40,
			bakeSeconds: 1,
			slotTimeoutSeconds: 20,
			catchUpTimeoutSeconds: 20,
		});
	}

	get base(): string {
		return localNames(this.stack).base;
	}

	async colorOutputs(): Promise<ColorOutputs> {
		const { stdout } = await this.must("stack", "output", "--json", "-s", this.stack);
		return outputsSchema.parse(JSON.parse(stdout));
	}

	/** The superuser in the database of a colour's generation. */
	colorConnection(color: Color, generation: number): Promise<Connection> {
		return this.superuser(colorDatabase(this.base, color, generation), this.serverOf(color));
	}

	/** Where a colour's own service is, beside the router. */
	async serviceUrl(color: Color): Promise<string> {
		return (await this.colorOutputs()).colors[color]!.url;
	}

	/** How the stack stands by its outputs. */
	async current(): Promise<Standing> {
		const { live, colors, nextGeneration } = await this.colorOutputs();
		return {
			live,
			nextGeneration,
			colors: Object.fromEntries(
				Object.entries(colors).map(([color, { generation, release, migrations }]) => [
					color,
					{ generation, release, versions: Object.keys(migrations).sort() },
				]),
			),
		};
	}

	/** Asks the database of a colour that is in the standing. */
	async onColor<T extends object>(standing: Standing, color: Color, sql: string): Promise<T[]> {
		const connection = await this.colorConnection(color, standing.colors[color]!.generation);
		return query<T & Record<string, unknown>>(connection, sql);
	}

	/** The superuser in the database that lets the application write, whatever state and outputs say. */
	async openDatabase(): Promise<Connection> {
		const open: Connection[] = [];
		for (const server of this.serverNames) {
			const databases = await query<{ name: string }>(
				await this.superuser("postgres", server),
				"SELECT datname AS name FROM pg_database WHERE datname ~ '_(blue|green)_[0-9]+$'",
			);
			for (const { name } of databases) {
				const connection = await this.superuser(name, server);
				const [fence] = await query<{ made: boolean }>(
					connection,
					"SELECT to_regclass('deployment.write_fence') IS NOT NULL AS made",
				);
				if (fence?.made) {
					const rows = await query<{ open: boolean }>(
						connection,
						"SELECT closed_until < clock_timestamp() AS open FROM deployment.write_fence",
					);
					open.push(...(rows[0]?.open ? [connection] : []));
				}
			}
		}
		assert.equal(open.length, 1, "exactly one colour accepts writes");
		return open[0]!;
	}

	/** The newest deployment in the catalog, with the rollback that belongs to it. */
	async lastDeployment(): Promise<unknown> {
		const [row] = await this.catalog(
			`SELECT pipeline_version AS release, status, rollback_type AS rollback, previous_version AS previous,
				target_version AS target, rollback_status AS outcome
			FROM deployment_pipelines LEFT JOIN deployment_rollbacks ON pipeline_id = deployment_pipelines.id
			ORDER BY deployment_pipelines.id DESC LIMIT 1`,
		);
		return row;
	}

	/** The steps that the catalog has of the newest deployment, those of migrations left out. */
	async lastSteps(): Promise<string[]> {
		const rows = await this.catalog<{ step: string }>(
			`SELECT execution_step AS step FROM deployment_execution_logs
			WHERE migration_id IS NULL AND deployment_id = (SELECT max(id) FROM deployment_pipelines) ORDER BY id`,
		);
		return rows.map(({ step }) => step);
	}

	/** The traffic is where it was, and so is everything of the colours that the last finished update left. */
	async assertUntouched({ live, colors }: Standing): Promise<void> {
		const { release, generation, versions } = colors[live]!;
		assert.equal((await this.openDatabase()).database, colorDatabase(this.base, live, generation));
		assert.deepEqual(await this.schemaOf(live, generation), { open: true, versions });
		const reply = await fetch(`${this.url}/version`, { signal: AbortSignal.timeout(5000) });
		assert.equal(((await reply.json()) as { release: string }).release, release);
	}

	/**
	 * Asserts that preview, outputs, databases, links, fences, catalog, processes and requests agree on the colours.
	 *
	 * @param status in the catalog: `failed` after a release was refused, `idle` once what was built of it is dropped
	 */
	async assertColors(
		standing: Standing,
		status: "completed" | "failed" | "idle" = "completed",
	): Promise<void> {
		const preview = await this.pulumi("preview", "--expect-no-changes", "-s", this.stack);
		assert.equal(preview.code, 0, preview.output);
		const { live, colors, nextGeneration } = standing;
		const { release, versions } = colors[live]!;
		const outputs = await this.colorOutputs();
		assert.equal(outputs.release, release);
		assert.deepEqual(outputs.nextGeneration, nextGeneration);
		assert.equal(outputs.live, live);
		assert.deepEqual(
			Object.entries(outputs.colors).map(([color, { migrations, url: _, ...record }]) => [
				color,
				{ ...record, versions: Object.keys(migrations).sort() },
			]),
			this.standing(standing).map(([color, held]) => [
				color,
				{ ...held, database: colorDatabase(this.base, color, held.generation) },
			]),
		);
		assert.deepEqual(await this.inventory(), this.inventoryOf(standing));
		for (const [color, { generation, versions: held }] of this.standing(standing)) {
			assert.deepEqual(await this.schemaOf(color, generation), { open: color === live, versions: held });
		}
		await this.assertCatalogAgrees(standing, status);
		const reply = await fetch(`${this.url}/version`, { signal: AbortSignal.timeout(5000) });
		assert.deepEqual(pick((await reply.json()) as object, "release", "schema"), {
			release,
			schema: versions.at(-1),
		});
		this.assertNothingLeftOver({ servers: this.servers, services: this.standing(standing).length });
		await this.assertInStep(standing);
	}

	/** Ends the connections that changes flow over, as a network would; the links come back by themselves. */
	async loseLinks(): Promise<void> {
		for (const server of this.serverNames) {
			const admin = await this.superuser("postgres", server);
			await query(
				admin,
				"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid IS NOT NULL",
			);
		}
	}

	/** Databases, roles, slots, publications and subscriptions that belong to the stack, over all its servers. */
	async inventory(): Promise<Inventory> {
		const found: Inventory = { databases: [], roles: [], slots: [], publications: [], subscriptions: [] };
		for (const server of this.serverNames) {
			const names = async (sql: string, database?: string) =>
				(await query<{ name: string }>(await this.superuser(database, server), sql)).map(({ name }) => name);
			const databases = await names("SELECT datname AS name FROM pg_database WHERE datname LIKE 'counting%'");
			found.databases.push(...databases);
			found.roles.push(
				...(await names("SELECT rolname AS name FROM pg_roles WHERE rolname LIKE 'counting%'")),
			);
			found.slots.push(
				...(await until("every slot is read from", async () => {
					const waiting = await names("SELECT slot_name AS name FROM pg_replication_slots WHERE NOT active");
					return waiting.length === 0
						? names("SELECT slot_name AS name FROM pg_replication_slots")
						: undefined;
				})),
			);
			found.subscriptions.push(
				...(await names("SELECT subname AS name FROM pg_subscription WHERE subenabled")),
			);
			found.subscriptions.push(
				...(await names("SELECT subname || ' (stopped)' AS name FROM pg_subscription WHERE NOT subenabled")),
			);
			for (const database of databases) {
				found.publications.push(...(await names("SELECT pubname AS name FROM pg_publication", database)));
			}
		}
		return Object.fromEntries(
			Object.entries(found).map(([kind, names]) => [kind, [...names].sort()]),
		) as unknown as Inventory;
	}

	private inventoryOf(standing: Standing): Inventory {
		const nodes = this.standing(standing);
		const databases = nodes.map(([color, { generation }]) => colorDatabase(this.base, color, generation));
		const [one, other] = nodes.map(([, { generation }]) => ({ base: this.base, generation }));
		const links = one && other ? [linkName(one, other), linkName(other, one)].sort() : [];
		const catalog = `${this.base}_catalog`;
		const queue = `${this.base}_queue`;
		return {
			databases: [...databases, catalog, queue].sort(),
			roles: [
				...databases.flatMap((name) => [`${name}_app`, `${name}_owner`]),
				...Array<string>(this.servers).fill(`${this.base}_replication`),
				catalog,
				`${catalog}_deploy`,
				...Array<string>(this.servers).fill(`${catalog}_reader`),
				queue,
				`${queue}_app`,
			].sort(),
			slots: links,
			publications: links,
			subscriptions: links,
		};
	}

	private async schemaOf(color: Color, generation: number): Promise<unknown> {
		const connection = await this.colorConnection(color, generation);
		const applied = await query<{ version: string }>(
			connection,
			"SELECT version FROM deployment.schema_migrations WHERE state = 'applied' ORDER BY version_order",
		);
		const [fence] = await query<{ open: boolean }>(
			connection,
			"SELECT closed_until < clock_timestamp() AS open FROM deployment.write_fence",
		);
		return { open: fence?.open, versions: applied.map(({ version }) => version) };
	}

	private async assertCatalogAgrees(standing: Standing, status: string): Promise<void> {
		const { live } = standing;
		assert.deepEqual(
			await this.catalog(
				"SELECT deployment_name, current_active, deployment_status FROM blue_green_deployments",
			),
			[{ deployment_name: this.base, current_active: live, deployment_status: status }],
		);
		const [named] = await this.catalog<Record<string, string>>(
			"SELECT blue_database_name AS blue, green_database_name AS green FROM blue_green_deployments",
		);
		for (const [color, { generation }] of this.standing(standing)) {
			assert.equal(named?.[color], colorDatabase(this.base, color, generation));
		}
		assert.deepEqual(
			await this.catalog("SELECT id FROM deployment_pipelines WHERE status IN ('running', 'pending')"),
			[],
		);
		assert.deepEqual(
			await this.catalog(
				"SELECT id FROM deployment_rollbacks WHERE rollback_status IN ('running', 'pending')",
			),
			[],
		);
	}

	/** The idle colour gets every row that the live one has, as it is. */
	private async assertInStep({ live, colors }: Standing): Promise<void> {
		const idle = otherColor(live);
		if (colors[idle] === undefined) {
			return;
		}
		const rowsOf = async (color: Color) =>
			query(
				await this.colorConnection(color, colors[color]!.generation),
				`SELECT (SELECT count(*)::int FROM cameras) AS cameras, count(*)::int AS results,
					md5(string_agg(id || count_type || count_value || created_at, ',' ORDER BY id)) AS digest
				FROM counting_results`,
			);
		const wanted = await rowsOf(live);
		await until(
			`${idle} has the rows of ${live}`,
			async () => JSON.stringify(await rowsOf(idle)) === JSON.stringify(wanted) || undefined,
		);
	}

	private standing({ colors }: Standing): [Color, StandingColor][] {
		return COLORS.flatMap((color): [Color, StandingColor][] =>
			colors[color] === undefined ? [] : [[color, colors[color]]],
		);
	}

	private get serverNames(): string[] {
		return this.servers === 2 ? ["server", "server-green"] : ["server"];
	}

	private serverOf(color: Color): string {
		return this.servers === 2 && color === "green" ? "server-green" : "server";
	}
}

/** How a stack stands once a release has been built from its live colour and has the traffic. */
export function afterRelease(before: Standing, release: string, versions: readonly string[]): Standing {
	const { live, colors, nextGeneration } = before;
	const color = otherColor(live);
	return {
		live: color,
		colors: { [live]: colors[live]!, [color]: { generation: nextGeneration, release, versions } },
		nextGeneration: nextGeneration + 1,
	};
}

interface Inventory {
	databases: string[];
	roles: string[];
	slots: string[];
	publications: string[];
	subscriptions: string[];
}

function pick(record: object, ...keys: string[]): object {
	return Object.fromEntries(Object.entries(record).filter(([key]) => keys.includes(key)));
}
