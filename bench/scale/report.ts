import { median, quantile, spread } from "../cutover/statistics";
import { type ReleaseFigures, WORKERS } from "./release";
import type { WriterPhase } from "./writer";

export interface SizeFigures {
	tableBytes: number;
	/** With indexes. */
	allBytes: number;
	rows: number;
	/** Seconds that the disk takes for as many bytes as the tables have. */
	diskSeconds: number;
	attempts: Attempt[];
}

/** A release of this size, or why none came of it. */
export interface Attempt {
	servers: 1 | 2;
	/** Transactions each second. */
	perSecond: number;
	figures?: ReleaseFigures;
	failure?: string;
}

type Row = ReleaseFigures & { name: string; servers: 1 | 2; size: SizeFigures };

/** The results as a page. */
export function writeReport(sizes: readonly SizeFigures[], machine: string): string {
	const rows = sizes.flatMap((size) =>
		size.attempts.flatMap(({ figures, servers, ...attempt }): Row[] =>
			figures === undefined
				? []
				: [{ ...figures, name: nameOf(size, { servers, ...attempt }), servers, size }],
		),
	);
	const failed = sizes.flatMap((size) =>
		size.attempts.flatMap((attempt) =>
			attempt.failure === undefined ? [] : [`- ${nameOf(size, attempt)}: ${attempt.failure}`],
		),
	);
	return [
		"# How a release grows with the database and with what is written",
		"",
		"The live colour has the service's schema and two more tables. While sessions of the application write, it is copied",
		`by ${WORKERS} streams, compared by checksums, followed, and the writers are moved to and fro, all by what a stack update`,
		"calls for it and with a stack's default settings. Every other transaction inserts a row with two indexes, the others",
		"each update one row anywhere in that table; both commit by themselves. They are due at a constant rate, however long",
		"answers take, and come straight from a process that is its own router: no service, no gateway, no network.",
		"",
		"The floor is the disk: one file of as many bytes as the tables have, written from its beginning to its end and",
		"flushed. Each line is one release; its figures include that both servers, the writers and the copy share one machine,",
		"and that it has read everything into its memory before.",
		"",
		`Machine: ${machine}. Repeat: \`npm run bench:scale\`.`,
		"",
		"| tables, MB | with indexes, MB | rows | floor, s |",
		"| --- | --- | --- | --- |",
		...sizes.map(({ tableBytes, allBytes, rows: count, diskSeconds }) =>
			line([megabytes(tableBytes), megabytes(allBytes), count.toFixed(0), diskSeconds.toFixed(1)]),
		),
		"",
		...copySection(rows),
		...(failed.length === 0 ? [] : ["No release came of:", "", ...failed, ""]),
		...writerSection(rows),
		...cutoverSection(rows),
	].join("\n");
}

/** Such as `908 MB`. */
export function describeSize(bytes: number): string {
	return `${megabytes(bytes)} MB`;
}

export function describeServers(servers: 1 | 2): string {
	return servers === 1 ? "one server" : "two servers";
}

/**
 * Transactions each second that the new colour applied while it caught up, those that came meanwhile included; undefined
 * when too few waited for the time to be theirs and not that of making the subscription.
 */
export function appliedPerSecond(release: ReleaseFigures): number | undefined {
	const { behindTransactions, catchUpSeconds, catchingUp } = release;
	const applied = behindTransactions + catchingUp.latencies.length;
	return behindTransactions < FEW ? undefined : applied / catchUpSeconds;
}

/** Fewer waiting transactions than this are applied in less time than a subscription takes to begin. */
const FEW = 10_000;

function copySection(rows: readonly Row[]): string[] {
	return [
		"## The copy, and catching up",
		"",
		"MB/s and the ratio to the floor are of the tables without indexes. Log is what each server wrote while the copy ran, all",
		"databases; on one server both colours' together. The slot keeps the live colour's log until the new one has it.",
		"",
		"| | copy, s | MB/s | × floor | log of the live server, MB | log of the new server, MB | most kept by the slot, MB | waiting at the end: transactions | MB | caught up after, s | applied/s |",
		`|${" --- |".repeat(11)}`,
		...rows.map((row) =>
			line([
				row.name,
				`**${row.copySeconds.toFixed(1)}**`,
				(row.size.tableBytes / 1e6 / row.copySeconds).toFixed(0),
				(row.copySeconds / row.size.diskSeconds).toFixed(1),
				megabytes(row.sourceLog),
				row.servers === 1 ? "the same" : megabytes(row.targetLog),
				megabytes(row.mostKept),
				String(row.behindTransactions),
				megabytes(row.behindBytes),
				row.catchUpSeconds.toFixed(1),
				appliedPerSecond(row)?.toFixed(0) ?? "–",
			]),
		),
		"",
	];
}

function writerSection(rows: readonly Row[]): string[] {
	const written = rows.filter(({ perSecond }) => perSecond > 0);
	return [
		"## What writers notice",
		"",
		"Transactions acknowledged each second, and the milliseconds from when one was due to its acknowledgement: median",
		"(99th percentile); for 5 s before the copy, while it runs, and for 5 s while the new colour follows.",
		"",
		"| | before: /s | ms | during the copy: /s | ms | followed: /s | ms |",
		`|${" --- |".repeat(7)}`,
		...written.map((row) => line([row.name, ...[row.before, row.during, row.inStep].flatMap(describePhase)])),
		"",
	];
}

function cutoverSection(rows: readonly Row[]): string[] {
	return [
		"## Lag in step, and the pause",
		"",
		"Lag is bytes of log that the new colour has not confirmed, median and most. The pause is of three cutovers and three",
		"rollbacks, least / median / most, by the cutover's own clock and as the writers see it, from the last write acknowledged",
		"by one colour to the first by the other. The last columns say what became of the inserted rows, looked up on both colours.",
		"",
		"| | lag, kB | pause, ms | as seen by writers, ms | inserted | failed | lost | doubled | differing |",
		`|${" --- |".repeat(9)}`,
		...rows.map((row) => {
			const { acknowledged, failures, lost, doubled, differing } = row.fate;
			const lags = [median(row.lagBytes), Math.max(...row.lagBytes)];
			return line([
				row.name,
				lags.map((lag) => (lag / 1e3).toFixed(0)).join(", "),
				spread(row.ownPauses),
				row.pauses.length === 0 ? "–" : spread(row.pauses),
				...[acknowledged, failures.length, lost, doubled, differing].map(String),
			]);
		}),
		"",
	];
}

function describePhase({ seconds, latencies }: WriterPhase): string[] {
	const [typical, slow] = [median(latencies), quantile(latencies, 0.99)];
	return [(latencies.length / seconds).toFixed(0), `${typical.toFixed(1)} (${slow.toFixed(1)})`];
}

function nameOf(size: SizeFigures, { servers, perSecond }: Attempt): string {
	return `${describeSize(size.tableBytes)}, ${describeServers(servers)}, ${perSecond}/s`;
}

function megabytes(bytes: number): string {
	return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}

function line(cells: readonly string[]): string {
	return `| ${cells.join(" | ")} |`;
}
