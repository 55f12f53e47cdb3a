import { PEER } from "./contenders";

export interface Measured {
	topology: string;
	/** Seconds of every pass, by contender. */
	seconds: Map<string, number[]>;
}

export interface Results {
	measured: Measured[];
	megabytes: number;
	rows: number;
	workers: number;
	rounds: number;
	machine: string;
	/** Why the peer is not there, if it is not. */
	absent?: string;
}

/** The results as a page. */
export function writeReport({
	measured,
	megabytes,
	rows,
	workers,
	rounds,
	machine,
	absent,
}: Results): string {
	const lines = [
		"# Copying a database to another",
		"",
		`${megabytes} MB of ${rows} rows in four tables, counted without indexes: cameras, their counting results (one`,
		"secondary index), wide detections (one), temperatures (none). Ours copies them to a database that has the schema",
		"already and runs until everything is there: rows, indexes, statistics for the planner, all compared with the",
		`source. \`pg_dump --format=directory --compress=none\` and then \`pg_restore\` make the schema as well, without the`,
		"statistics, and compare nothing. All have the same session settings (`synchronous_commit` off, 256 MB to build an",
		`index), ${workers} streams, and servers as the deployment sets them up.`,
		"",
		`Seconds: medians of ${rounds} rounds in turn, all of them in brackets; megabytes of tables each second. The ratio is`,
		`the time of \`${PEER}\` divided by that of the line: above 1, the line is faster.`,
		`Machine: ${machine}. Repeat: \`npm run bench:copy\`.`,
		...(absent === undefined ? [] : ["", `${absent}.`]),
	];
	for (const { topology, seconds } of measured) {
		lines.push("", `## ${topology}`, "", "| | seconds | MB/s | ratio |", "| --- | --- | --- | --- |");
		const peer = seconds.get(PEER);
		for (const [name, all] of seconds) {
			const typical = median(all);
			lines.push(
				`| ${[
					name,
					`**${typical.toFixed(1)}** (${all.map((each) => each.toFixed(1)).join(", ")})`,
					(megabytes / typical).toFixed(0),
					peer === undefined ? "–" : (median(peer) / typical).toFixed(2),
				].join(" | ")} |`,
			);
		}
	}
	return [...lines, ""].join("\n");
}

function median(values: number[]): number {
	const sorted = [...values].sort((left, right) => left - right);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
