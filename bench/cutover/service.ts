import { randomBytes } from "node:crypto";
import type { Connection } from "../../components/database/connection";
import { poll } from "../../components/local/deadline";
import { claimPort, LOOPBACK } from "../../components/local/port";
import type { Target } from "../../components/traffic/routing";
import { Program } from "../../test/service/program";

/** Connections of one service; those of the production environment. */
export const POOL_SIZE = 20;

const READY_TIMEOUT_MS = 60_000;

/** The counting service on a colour's database, as a process of its own. */
export class Service {
	private constructor(
		private readonly program: Program,
		readonly target: Target,
	) {}

	/** Starts it and waits until it is ready. */
	static async start(name: string, database: Connection): Promise<Service> {
		const port = await claimPort(undefined, "a service", "start the benchmark again");
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
		const url = `http://${LOOPBACK}:${port}`;
		const ready = await poll(READY_TIMEOUT_MS, 100, async () => {
			const answer = await fetch(`${url}/readyz`).catch(() => undefined);
			return answer?.ok || program.child.exitCode !== null || undefined;
		});
		if (ready === undefined || program.child.exitCode !== null) {
			throw new Error(`the service of ${name} does not become ready:\n${program.output}`);
		}
		return new Service(program, { targetGroup: name, url });
	}

	async stop(): Promise<void> {
		await this.program.stop();
	}
}
