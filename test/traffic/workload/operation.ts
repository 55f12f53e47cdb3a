import { setTimeout as sleep } from "node:timers/promises";
import type { ClientBase } from "pg";
import { z } from "zod";

const common = {
	opId: z.string().min(1),
	/** Milliseconds that the transaction waits before each statement but the first. */
	pauseMs: z.number().min(0).max(5000),
	isolation: z.enum(["READ COMMITTED", "REPEATABLE READ"]),
};
const id = z.int().min(1);
const amount = z.int();

/** What one request does, as one transaction. */
export const operationSchema = z.discriminatedUnion("kind", [
	/** Opens an account. */
	z.strictObject({ kind: z.literal("insert"), ...common, amount }),
	/** Adds to an account. */
	z.strictObject({ kind: z.literal("update"), ...common, account: id, amount }),
	/**
	 * The same without a row in `operations`, and so without any new key: nothing collides when it comes twice or comes
	 * back, so that an echo is not stopped before it does its harm.
	 */
	z.strictObject({ kind: z.literal("touch"), ...common, account: id, amount }),
	/** Adds to an event, and to its account; `target` is the operation that wrote the event. */
	z.strictObject({ kind: z.literal("amend"), ...common, account: id, target: z.string(), amount }),
	/** Closes an account: it goes with its events. */
	z.strictObject({ kind: z.literal("delete"), ...common, account: id }),
	z.strictObject({ kind: z.literal("transfer"), ...common, from: id, to: id, amount }),
	/** Writes a ticket, a measure and a counter. */
	z.strictObject({
		kind: z.literal("compound"),
		...common,
		account: id,
		at: z.int(),
		counter: z.string(),
		amount,
	}),
	/** Moves a measure to another number, and so perhaps to another partition. */
	z.strictObject({ kind: z.literal("move"), ...common, target: z.string(), at: z.int(), to: z.int() }),
]);

export type Operation = z.infer<typeof operationSchema>;
export type Kind = Operation["kind"];

/** What the database handed out to an operation. */
export const answerSchema = z.object({ account: z.int().nullable(), ticket: z.int().nullable() });
export type Answer = z.infer<typeof answerSchema>;

/** A statement did not find the row that it had to change. */
export class RowMissing extends Error {
	override name = "RowMissing";
}

/**
 * Does an operation's statements; the transaction around them is the caller's.
 *
 * @throws RowMissing when a row that it changes is not there; the database's own errors
 */
export async function perform(client: ClientBase, operation: Operation): Promise<Answer> {
	const { opId, pauseMs } = operation;
	let first = true;
	/** One statement, which has to concern exactly one row. */
	async function one(sql: string, values: unknown[]): Promise<number | null> {
		if (!first && pauseMs > 0) {
			await sleep(pauseMs);
		}
		first = false;
		const { rows, rowCount } = await client.query(sql, values);
		if (rowCount !== 1) {
			throw new RowMissing(`${operation.kind} ${opId} concerned ${rowCount} rows instead of one: ${sql}`);
		}
		return rows[0] === undefined ? null : Number(rows[0].id);
	}
	const add = (account: number, amount: number) =>
		one("UPDATE accounts SET balance = balance + $2, version = version + 1 WHERE id = $1", [account, amount]);
	const note = (account: number, amount: number) =>
		one("INSERT INTO events (account, amount, note) VALUES ($1, $2, $3)", [account, amount, opId]);

	if (operation.isolation === "REPEATABLE READ") {
		// Takes the snapshot, long before the first write when there are pauses.
		await one("SELECT count(*) AS id FROM accounts WHERE id = 1", []);
	}
	let account: number | null = null;
	let ticket: number | null = null;
	switch (operation.kind) {
		case "insert":
			account = await one("INSERT INTO accounts (balance) VALUES ($1) RETURNING id", [operation.amount]);
			await note(account!, operation.amount);
			break;
		case "touch":
			await add(operation.account, operation.amount);
			await note(operation.account, operation.amount);
			return { account, ticket };
		case "update":
			await add(operation.account, operation.amount);
			await note(operation.account, operation.amount);
			break;
		case "amend":
			await one("UPDATE events SET amount = amount + $3 WHERE note = $1 AND account = $2", [
				operation.target,
				operation.account,
				operation.amount,
			]);
			await add(operation.account, operation.amount);
			break;
		case "delete":
			await one("DELETE FROM events WHERE account = $1", [operation.account]);
			await one("DELETE FROM accounts WHERE id = $1", [operation.account]);
			break;
		case "transfer": {
			const sides = [
				[operation.from, -operation.amount],
				[operation.to, operation.amount],
			] as const;
			// Always in the same order, so that two transfers cannot wait for each other.
			for (const [side, change] of [...sides].sort(([left], [right]) => left - right)) {
				await add(side, change);
				await note(side, change);
			}
			break;
		}
		case "compound":
			ticket = await one("SELECT nextval('ticket_numbers') AS id", []);
			await one("INSERT INTO tickets (number, account, op_id, net) VALUES ($1, $2, $3, $4)", [
				ticket,
				operation.account,
				opId,
				operation.amount,
			]);
			await one("INSERT INTO measures (at, op_id, value) VALUES ($1, $2, $3)", [
				operation.at,
				opId,
				operation.amount,
			]);
			await one(
				`INSERT INTO "Größen"."Zähler 1" AS counter VALUES ($1, $2)
				ON CONFLICT ("Schlüssel") DO UPDATE SET "Wert der Größe" = counter."Wert der Größe" + EXCLUDED."Wert der Größe"`,
				[operation.counter, operation.amount],
			);
			break;
		case "move":
			await one("UPDATE measures SET at = $3 WHERE at = $2 AND op_id = $1", [
				operation.target,
				operation.at,
				operation.to,
			]);
			break;
	}
	await one("INSERT INTO operations (op_id, kind, account, ticket) VALUES ($1, $2, $3, $4)", [
		opId,
		operation.kind,
		account,
		ticket,
	]);
	return { account, ticket };
}
