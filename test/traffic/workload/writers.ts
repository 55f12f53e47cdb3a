import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Entry, Ledger } from "./ledger";
import { answerSchema, type Kind, type Operation } from "./operation";
import type { Random } from "./random";
import { COUNTERS, MEASURES_END, SHARED_ACCOUNTS } from "./schema";

const REQUEST_TIMEOUT_MS = 20_000;
/** After an answer that was not a success. */
const BACK_OFF_MS = 5;

export interface WritersOptions {
	/** The public address. */
	url: string;
	ledger: Ledger;
	random: Random;
	/** How many write at the same time. */
	count: number;
	/** Milliseconds that a writer waits after an answer, at most. */
	thinkMs: number;
	/** Milliseconds that a transaction waits between two statements, at most; most wait not at all. */
	pauseMs: number;
	/** The share of transactions that wait. */
	slowShare?: number;
	/** The share of transactions that are REPEATABLE READ. */
	repeatableReadShare?: number;
	/** How often each kind is chosen. */
	weights?: Record<Kind, number>;
}

const WEIGHTS: Record<Kind, number> = {
	insert: 3,
	update: 3,
	touch: 3,
	amend: 2,
	delete: 1,
	transfer: 3,
	compound: 4,
	move: 1,
};

const problemSchema = z.object({ error: z.string(), sqlState: z.string().optional() });

/** Clients that write through the public address and keep the books. */
export class Writers {
	private stopped = false;
	private readonly agent: Agent;
	private readonly done: Promise<void>[];

	private constructor(private readonly options: WritersOptions) {
		this.agent = new Agent({ keepAlive: true, maxSockets: options.count });
		this.done = Array.from({ length: options.count }, () => this.write(options.random.fork()));
	}

	static start(options: WritersOptions): Writers {
		return new Writers(options);
	}

	/** Waits until every request has been answered. */
	async stop(): Promise<void> {
		this.stopped = true;
		await Promise.all(this.done);
		this.agent.destroy();
	}

	private async write(random: Random): Promise<void> {
		const { ledger, thinkMs } = this.options;
		const own = new Belongings();
		while (!this.stopped) {
			const operation = this.choose(random, own);
			const entry = ledger.send(operation);
			await this.send(entry);
			own.note(entry);
			await sleep(entry.outcome === "acknowledged" ? random.next() * thinkMs : BACK_OFF_MS);
		}
	}

	private choose(random: Random, own: Belongings): Operation {
		const { ledger, pauseMs, slowShare = 0.1, repeatableReadShare = 0.1, weights = WEIGHTS } = this.options;
		const common = {
			opId: ledger.nextId(),
			pauseMs: random.chance(slowShare) ? Math.round(random.next() * pauseMs) : 0,
			isolation: random.chance(repeatableReadShare) ? "REPEATABLE READ" : "READ COMMITTED",
		} as const;
		const amount = random.between(1, 100);
		const account = random.between(1, SHARED_ACCOUNTS);
		const kind = random.weighted(weights);
		switch (kind) {
			case "insert":
				return { kind, ...common, amount };
			case "amend": {
				const target = own.takeEvent(random);
				return target === undefined
					? { kind: "update", ...common, account, amount }
					: { kind, ...common, ...target, amount };
			}
			case "delete": {
				const closing = own.takeAccount(random);
				return closing === undefined
					? { kind: "insert", ...common, amount }
					: { kind, ...common, account: closing };
			}
			case "transfer": {
				const to = 1 + ((account + random.between(0, SHARED_ACCOUNTS - 2)) % SHARED_ACCOUNTS);
				return { kind, ...common, from: account, to, amount };
			}
			case "move": {
				const target = own.takeMeasure(random);
				return target === undefined
					? { kind: "update", ...common, account, amount }
					: { kind, ...common, ...target, to: random.between(0, MEASURES_END) };
			}
			case "compound":
				return {
					kind,
					...common,
					account,
					amount,
					at: random.between(0, MEASURES_END),
					counter: random.pick(COUNTERS),
				};
			case "update":
			case "touch":
				return { kind, ...common, account, amount };
		}
	}

	private send(entry: Entry): Promise<void> {
		const { ledger, url } = this.options;
		const body = JSON.stringify(entry.operation);
		return new Promise((resolve) => {
			const lose = (error: NodeJS.ErrnoException) => {
				if (entry.outcome === "pending") {
					// Nobody listened, so nobody has got it.
					const outcome = error.code === "ECONNREFUSED" ? "refused" : "unknown";
					ledger.settle(entry, outcome, { reason: error.message });
				}
				resolve();
			};
			const outgoing = request(
				`${url}/op`,
				{
					method: "POST",
					agent: this.agent,
					timeout: REQUEST_TIMEOUT_MS,
					headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
				},
				(incoming) => {
					let text = "";
					incoming.setEncoding("utf8");
					incoming.on("data", (chunk: string) => {
						text += chunk;
					});
					incoming.on("error", lose);
					incoming.on("end", () => {
						this.settle(entry, incoming.statusCode ?? 0, text);
						resolve();
					});
				},
			);
			outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`)));
			outgoing.on("error", lose);
			outgoing.end(body);
		});
	}

	private settle(entry: Entry, status: number, text: string): void {
		const { ledger } = this.options;
		if (status === 200) {
			ledger.settle(entry, "acknowledged", { answer: answerSchema.parse(JSON.parse(text)) });
			return;
		}
		const { error, sqlState } = problemSchema.safeParse(parseJson(text)).data ?? { error: text };
		const outcome = status === 503 ? "refused" : status === 500 ? "failed" : "unknown";
		ledger.settle(entry, outcome, {
			reason: `${status} ${error}`,
			...(sqlState !== undefined && { sqlState }),
		});
	}
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/**
 * What a writer has made for certain and may therefore change: nobody else does. What it changes is taken out first, and
 * comes back only when the change is certain, so that the order of all changes to one row is known.
 */
class Belongings {
	private readonly accounts: number[] = [];
	private readonly events: { target: string; account: number }[] = [];
	private readonly measures: { target: string; at: number }[] = [];

	takeAccount(random: Random): number | undefined {
		const account = take(this.accounts, random);
		const event = this.events.findIndex((event) => event.account === account);
		if (event !== -1) {
			this.events.splice(event, 1);
		}
		return account;
	}

	takeEvent(random: Random): { target: string; account: number } | undefined {
		const event = take(this.events, random);
		const account = event === undefined ? -1 : this.accounts.indexOf(event.account);
		if (account !== -1) {
			this.accounts.splice(account, 1);
		}
		return event;
	}

	takeMeasure(random: Random): { target: string; at: number } | undefined {
		return take(this.measures, random);
	}

	note({ operation, outcome, answer }: Entry): void {
		if (outcome !== "acknowledged") {
			return;
		}
		switch (operation.kind) {
			case "insert":
				this.own(operation.opId, answer!.account!);
				break;
			case "amend":
				this.own(operation.target, operation.account);
				break;
			case "compound":
				this.measures.push({ target: operation.opId, at: operation.at });
				break;
			case "move":
				this.measures.push({ target: operation.target, at: operation.to });
				break;
		}
	}

	private own(target: string, account: number): void {
		this.accounts.push(account);
		this.events.push({ target, account });
	}
}

function take<T>(from: T[], random: Random): T | undefined {
	return from.splice(random.between(0, from.length - 1), 1)[0];
}
