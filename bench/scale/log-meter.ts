import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { connect } from "../../components/database/connection";
import type { Node } from "../../components/replication/node";

const LOOK_MS = 200;

/** Looks at the logs of both colours' servers, and at what a slot on the first keeps, until it is stopped. */
export class LogMeter {
	/** The most that the slot has kept, in bytes. */
	mostKept = 0;
	private readonly looking: Promise<void>;
	private stopped = false;

	private constructor(
		private readonly source: Client,
		private readonly target: Client,
		private readonly slot: string,
	) {
		this.looking = this.look();
		// It is told by stop().
		this.looking.catch(() => {});
	}

	static async start(source: Node, target: Node, slot: string): Promise<LogMeter> {
		const session = { applicationName: "bench" };
		const clients = await Promise.all([connect(source.admin, session), connect(target.admin, session)]);
		return new LogMeter(...clients, slot);
	}

	/** Bytes of log that each server has written in its life. */
	async written(): Promise<{ source: number; target: number }> {
		const of = async (client: Client) => {
			const { rows } = await client.query<{ bytes: number }>(
				"SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS bytes",
			);
			return rows[0]!.bytes;
		};
		const [source, target] = await Promise.all([of(this.source), of(this.target)]);
		return { source, target };
	}

	/** Bytes of the source's log that wait in the slot to be fetched. */
	async waiting(): Promise<number> {
		return this.ask("confirmed_flush_lsn");
	}

	async stop(): Promise<void> {
		this.stopped = true;
		try {
			await this.looking;
		} finally {
			await Promise.all([this.source.end(), this.target.end()]);
		}
	}

	private async look(): Promise<void> {
		while (!this.stopped) {
			this.mostKept = Math.max(this.mostKept, await this.ask("restart_lsn"));
			await sleep(LOOK_MS);
		}
	}

	private async ask(position: "restart_lsn" | "confirmed_flush_lsn"): Promise<number> {
		const { rows } = await this.source.query<{ bytes: number }>(
			`SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), ${position})::float8 AS bytes
			FROM pg_replication_slots WHERE slot_name = $1`,
			[this.slot],
		);
		return rows[0]?.bytes ?? 0;
	}
}
