import { randomBytes } from "node:crypto";
import type { Connection } from "../../components/database/connection";
import { claimPort, LOOPBACK } from "../../components/local/port";
import type { Target } from "../../components/traffic/routing";
import { Program } from "../../test/service/program";

/** Connections of one service; those of the production environment. */
export const POOL_SIZE = 20;

/** The counting service on a colour's database, as a process of its own. */
export class Service {
	private constructor(
		private readonly program: Program,
		readonly target: Target,
	) {}

	static async start(name: string, database: Connection): Promise<Service> {
		const port = await claimPort(undefined, "a service", "");
		const program = Program.start("service/main.ts", [], {
			PORT: String(port),
			INSTANCE: randomBytes(8).toString("hex"),
			RELEASE: "1.3.0",
			REQUIRED_SCHEMA: "1.2.0",
			POOL_SIZE: String(POOL_SIZE),
			PGHOST: database.host,
			PGPORT: String(database.port),
			PGDATABASE: database.database,
			PGUSER: database.user,
			PGPASSWORD: database.password,
			PGSSLMODE: database.sslMode,
			LOG_LEVEL: "warn",
		});
		return new Service(program, { targetGroup: name, url: `http://${LOOPBACK}:${port}` });
	}

	async stop(): Promise<void> {
		await this.program.stop();
	}
}
