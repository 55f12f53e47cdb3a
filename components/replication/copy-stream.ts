import { type Client, type Connection, DatabaseError, type Submittable } from "pg";

/** The first byte of the protocol's message that carries one row, in both directions. */
const COPY_DATA = 0x64;
const HEADER_BYTES = 5;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
/** Bytes that may wait for the receiving server before the sending one is held up. */
const MOST_WAITING_BYTES = 1 << 20;

/**
 * Passes the rows of `copyOut` (COPY … TO STDOUT) on to `copyIn` (COPY … FROM STDIN). Both servers frame rows alike, so
 * the bytes go from one socket to the other as they are, and only the heads of messages are looked at.
 *
 * After a failure both connections are closed.
 *
 * @param onBytes told how many bytes have passed
 * @returns how many rows arrived
 * @throws Error the first one of either server
 */
export async function relayRows(
	source: Client,
	copyOut: string,
	target: Client,
	copyIn: string,
	onBytes: (bytes: number) => void,
): Promise<number> {
	const receiver = new Receiver(copyIn);
	target.query(receiver);
	let sender: Sender | undefined;
	try {
		sender = new Sender(copyOut, await receiver.ready, onBytes);
		source.query(sender);
		// As long as it has not been told that the rows are at their end, the receiver can only fail.
		const sent = await Promise.race([sender.finished, receiver.finished]);
		receiver.end();
		const received = await receiver.finished;
		if (sent !== received) {
			throw new Error(`${sent} rows were sent, but ${received} arrived`);
		}
		return received;
	} catch (error) {
		sender?.close();
		receiver.close();
		throw error;
	}
}

/** What `pg` calls on a query, as far as COPY has need of it. */
abstract class CopyQuery implements Submittable {
	readonly finished: Promise<number>;
	protected connection: Connection | undefined;
	private rows = 0;
	private succeed!: (rows: number) => void;
	private fail!: (error: Error) => void;

	constructor(
		private readonly sql: string,
		/** Which of the two, for errors. */
		private readonly server: "source" | "target",
	) {
		this.finished = new Promise((resolve, reject) => {
			this.succeed = resolve;
			this.fail = reject;
		});
		// The one who waits may look only later.
		this.finished.catch(() => {});
	}

	submit(connection: Connection): void {
		this.connection = connection;
		connection.query(this.sql);
	}

	close(): void {
		this.connection?.stream.destroy();
	}

	handleCommandComplete({ text }: { text: string }): void {
		this.rows = Number(/^COPY (\d+)$/.exec(text)?.[1] ?? Number.NaN);
	}

	handleReadyForQuery(): void {
		this.succeed(this.rows);
	}

	handleError(error: Error): void {
		const told = error instanceof DatabaseError;
		this.fail(told ? error : new Error(`the connection to the ${this.server} was lost: ${error.message}`));
	}
}

class Receiver extends CopyQuery {
	/** Resolves when the server asks for rows. */
	readonly ready: Promise<Connection>;
	private begin!: (connection: Connection) => void;

	constructor(sql: string) {
		super(sql, "target");
		const asked = new Promise<Connection>((resolve) => {
			this.begin = resolve;
		});
		this.ready = Promise.race([
			asked,
			this.finished.then(() => Promise.reject(new Error("no COPY took place"))),
		]);
	}

	handleCopyInResponse(connection: Connection): void {
		this.begin(connection);
	}

	end(): void {
		this.connection?.stream.write(COPY_DONE);
	}
}

/** Takes the rows out of what a server sends; everything else goes the usual way, to the parser of `pg`. */
class Sender extends CopyQuery {
	private readonly head = Buffer.alloc(HEADER_BYTES);
	/** Bytes of the present message's head that were seen. */
	private headBytes = 0;
	/** Bytes of the present message that are still to come after its head. */
	private bodyBytes = 0;
	private parse: (bytes: Buffer) => void = () => {};
	private readonly onData = (bytes: Buffer) => this.distribute(bytes);

	constructor(
		sql: string,
		private readonly receiver: Connection,
		private readonly onBytes: (bytes: number) => void,
	) {
		super(sql, "source");
	}

	override submit(connection: Connection): void {
		const [parse] = connection.stream.listeners("data") as ((bytes: Buffer) => void)[];
		if (parse === undefined) throw new Error("the connection is not being read");
		this.parse = parse;
		connection.stream.off("data", parse);
		connection.stream.on("data", this.onData);
		super.submit(connection);
	}

	override handleReadyForQuery(): void {
		this.giveBack();
		super.handleReadyForQuery();
	}

	override handleError(error: Error): void {
		this.giveBack();
		super.handleError(error);
	}

	private giveBack(): void {
		this.connection?.stream.off("data", this.onData);
		this.connection?.stream.on("data", this.parse);
	}

	private distribute(bytes: Buffer): void {
		let rowBytes = 0;
		let begin = 0;
		let at = 0;
		const flush = () => {
			const part = bytes.subarray(begin, at);
			begin = at;
			if (part.length === 0) return;
			if (this.head[0] === COPY_DATA) {
				rowBytes += part.length;
				this.receiver.stream.write(part);
			} else {
				this.parse(part);
			}
		};
		while (at < bytes.length) {
			if (this.bodyBytes > 0) {
				const step = Math.min(this.bodyBytes, bytes.length - at);
				this.bodyBytes -= step;
				at += step;
				continue;
			}
			const next = bytes[at]!;
			// Rows that follow each other leave together.
			if (this.headBytes === 0 && next !== this.head[0]) flush();
			this.head[this.headBytes++] = next;
			at++;
			if (this.headBytes === HEADER_BYTES) {
				this.headBytes = 0;
				this.bodyBytes = this.head.readUInt32BE(1) - 4;
			}
		}
		flush();
		if (rowBytes > 0) {
			this.onBytes(rowBytes);
			this.holdUp();
		}
	}

	private holdUp(): void {
		const from = this.connection!.stream;
		const to = this.receiver.stream;
		if (to.writableLength >= MOST_WAITING_BYTES && !from.isPaused()) {
			from.pause();
			to.once("drain", () => from.resume());
		}
	}
}
