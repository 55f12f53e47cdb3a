import { error, type Finding, warning } from "./finding";

export interface DiskSpace {
	/** Bytes that the live database takes, with its indexes. */
	databaseBytes: number;
	/** Bytes free on the disk of each colour's server, where that is known. */
	free: { source?: number; target?: number };
	sameServer: boolean;
}

/** A copy is as large as its source, and some room is lost to pages that are not full. */
const COPY_ROOM = 1.1;
/**
 * Bytes of log that a copy writes for each byte of its source, indexes included: rows and indexes, and once more each
 * page between whose writing and first reading a checkpoint lies. Measured: 1.0 at 0.1 GB, 1.6 at 1 and at 15 GB.
 */
const LOG_OF_COPY = 1.7;
/** On the copy's own server its log is kept until the copy is done. */
const COPY_AND_LOG_ROOM = COPY_ROOM + LOG_OF_COPY;
/** What the live release writes during the copy is kept in its server's log; a guess. */
const LIVE_LOG_ROOM = 0.25;

/** Whether a copy, and the log that is kept meanwhile, find room. Pure. */
export function diskFindings({ databaseBytes, free, sameServer }: DiskSpace): Finding[] {
	const size = `the live database takes ${shownBytes(databaseBytes)}`;
	const mend = "make room, or give the server a larger disk";
	if (free.target !== undefined && free.target < COPY_ROOM * databaseBytes) {
		return [
			error(
				`${size}, but the idle colour's server has only ${shownBytes(free.target)} free for its copy`,
				mend,
			),
		];
	}
	const logRoom = (sameServer ? COPY_AND_LOG_ROOM : LIVE_LOG_ROOM) * databaseBytes;
	const freeForLog = sameServer ? (free.target ?? free.source) : free.source;
	return freeForLog !== undefined && freeForLog < logRoom
		? [
				warning(
					`${size}, and the live colour's server has ${shownBytes(freeForLog)} free, on which ` +
						`${sameServer ? "the copy and " : ""}all that is written during the copy has to find room`,
					mend,
				),
			]
		: [];
}

export interface KeptLog {
	databaseBytes: number;
	/** Bytes of its log that the server keeps for a slot; null for as many as it takes. */
	keptWalBytes: number | null;
	sameServer: boolean;
}

/**
 * Whether the server of both colours keeps the log of a whole copy: the slot that the copy begins with holds on to all
 * that the server writes until the copy is done, and that is the copy itself. Pure.
 */
export function keptLogFindings({ databaseBytes, keptWalBytes, sameServer }: KeptLog): Finding[] {
	const log = LOG_OF_COPY * databaseBytes;
	return !sameServer || keptWalBytes === null || log <= keptWalBytes
		? []
		: [
				error(
					`the live database takes ${shownBytes(databaseBytes)}, so that its copy writes some ${shownBytes(log)} of log, ` +
						`of which the server of both colours keeps ${shownBytes(keptWalBytes)}: the copy would be lost before its end`,
					`set keptWalGigabytes to ${Math.ceil(log / 2 ** 30)} or more, or give each colour a server (serverPerColor)`,
				),
			];
}

function shownBytes(bytes: number): string {
	return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
