import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import { type Connection, withClient } from "../database/connection";
import { END_OF_ROWS } from "./backup";

const PIECE = 1 << 20;
const COPY = /^COPY [^\n]* FROM stdin;\n/m;

/**
 * Puts the rows of a backup file back, all or none. The migration that was undone must be applied again.
 *
 * @throws Error when the file is not one of ours or is cut short, or when a row does not fit.
 */
export async function restoreBackup(connection: Connection, file: string, timeoutMs: number): Promise<void> {
	const parts = await readParts(file);
	const session = { applicationName: "deployment-restore", statementTimeoutMs: timeoutMs };
	await withClient(connection, session, async (client) => {
		await client.query(parts.before);
		const copy = client.query(copyFrom(parts.copy));
		await pipeline(createReadStream(file, { start: parts.from, end: parts.to - 1 }), copy);
		await client.query(parts.after);
	});
}

interface Parts {
	before: string;
	copy: string;
	/** The rows, as byte offsets. */
	from: number;
	to: number;
	after: string;
}

async function readParts(file: string): Promise<Parts> {
	const handle = await open(file, "r");
	try {
		const { size } = await handle.stat();
		const head = (await read(handle, 0, Math.min(PIECE, size))).toString("utf8");
		const tailStart = Math.max(0, size - PIECE);
		const tail = await read(handle, tailStart, size - tailStart);
		const copy = COPY.exec(head);
		const end = tail.lastIndexOf(`\n${END_OF_ROWS}`);
		if (!copy || end === -1 || !tail.subarray(-8).equals(Buffer.from("COMMIT;\n"))) {
			throw new Error(`${file} is not a whole backup of rows: take another one`);
		}
		return {
			before: head.slice(0, copy.index),
			copy: copy[0].replace(/;\n$/, ""),
			from: Buffer.byteLength(head.slice(0, copy.index + copy[0].length)),
			to: tailStart + end + 1,
			after: tail.subarray(end + 1 + END_OF_ROWS.length).toString("utf8"),
		};
	} finally {
		await handle.close();
	}
}

async function read(handle: FileHandle, position: number, length: number): Promise<Buffer> {
	const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
	return buffer.subarray(0, bytesRead);
}
