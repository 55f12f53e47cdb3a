import type { Client } from "pg";
import type { Connection } from "../../components/database/connection";
import type { Color, DashboardState, Lag, Traffic } from "../state";
import { readChecks } from "./checks";
import { readEnvironment } from "./environment";
import { readDeployments, readRollbacks } from "./history";
import { lagOf, measureLinks } from "./lag";
import { readMigrations } from "./migrations";
import { readPipeline } from "./pipeline";
import { ReadingSession } from "./session";
import { readTraffic } from "./traffic";

/** Everything that is read of the catalog at one moment, and that moment by the catalog's clock. */
export interface CatalogMoment {
	now: string;
	sections: Omit<DashboardState, "catalog">;
}

export interface ReaderOptions {
	/** As a role that need be allowed nothing but to read. */
	catalog: Connection;
	/** The colours' servers, by way of any database, for the lag where the live colour is not beside the catalog. */
	servers?: Partial<Record<Color, Connection>>;
	stack: string;
	environment: string;
}

/** Reads the catalog, on one connection; the lag of a colour on another server on a connection of its own. */
export class CatalogReader {
	private readonly session: ReadingSession;
	private readonly beside: Partial<Record<Color, ReadingSession>> = {};

	constructor(private readonly options: ReaderOptions) {
		const { catalog, servers = {} } = options;
		this.session = new ReadingSession(catalog);
		for (const [color, server] of Object.entries(servers) as [Color, Connection][]) {
			if (server.host !== catalog.host || server.port !== catalog.port) {
				this.beside[color] = new ReadingSession(server);
			}
		}
	}

	/**
	 * Reads all of it as of one moment.
	 *
	 * @throws Error naming the catalog (never its password) when it cannot be reached or read in time
	 */
	async read(): Promise<CatalogMoment> {
		const { now, links, ...found } = await this.session.read((client) => this.readCatalog(client));
		const lag = lagOf(await this.linksBeside(found.traffic, links), found.checks, found.traffic);
		return { now, sections: { ...found, lag } };
	}

	async close(): Promise<void> {
		await Promise.all([this.session, ...Object.values(this.beside)].map((session) => session.close()));
	}

	private async readCatalog(client: Client) {
		const { stack, environment } = this.options;
		const { rows } = await client.query<{ now: Date }>("SELECT now()");
		const settings = await readEnvironment(client, stack);
		const traffic = await readTraffic(client, environment);
		return {
			now: rows[0]!.now.toISOString(),
			environment: settings,
			traffic,
			migrations: await readMigrations(client, traffic, settings?.databaseName),
			pipeline: await readPipeline(client, environment),
			checks: await readChecks(client),
			links: await measureLinks(client, traffic),
			deployments: await readDeployments(client, environment),
			rollbacks: await readRollbacks(client, environment),
		};
	}

	/** A server that does not answer is told of by the health checks; the catalog goes on being shown. */
	private async linksBeside(traffic: Traffic, links: Lag["links"]): Promise<Lag["links"]> {
		const session = traffic.live === null ? undefined : this.beside[traffic.live];
		return session?.read((client) => measureLinks(client, traffic)).catch(() => []) ?? links;
	}
}
