import type { Contender } from "./contenders";

export const OURS = "migrate";
export const OURS_WITH_FILES = "migrate, with reading its files";

/** Milliseconds of every pass, by contender. */
export type Measured = Map<string, number[]>;

export interface Results {
	contenders: Contender[];
	apply: Measured;
	noopThousand: Measured;
	noopTenThousand: Measured;
	rounds: number;
	noopRounds: number;
	machine: string;
}

function median(values: number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The results as a page, ratios against ours first. */
export function writeReport(results: Results): string {
	const { contenders, apply, noopThousand, noopTenThousand, rounds, noopRounds, machine } = results;
	const lines = [
		"# Migrations: applying 1,000, and having nothing to apply",
		"",
		"Each migration creates one small table. All contenders use the same PostgreSQL 18 server with its default",
		"settings, and take turns. Times are medians, all of them in brackets. A ratio is the contender's time divided by",
		"that of `migrate`, the function behind MigrationSet, which includes writing the catalog. The line below it adds",
		"reading and checking all files, which the peers do not do when there is nothing to apply: they compare names.",
		"What runs in node (ours, node-pg-migrate) is timed in a fresh process, without the start of node.",
		"",
		`Apply: ${rounds} rounds. No-op: ${noopRounds} rounds. Machine: ${machine}. Repeat: \`npm ci && npm run bench\` in \`bench/migrations\`.`,
		"",
		"| | apply 1,000 | ratio | no-op at 1,000 | ratio | no-op at 10,000 | ratio | growth of the no-op |",
		"| --- | --- | --- | --- | --- | --- | --- | --- |",
	];
	for (const { name, absent } of contenders) {
		if (absent !== undefined) {
			lines.push(`| ${name} | absent: ${absent} | | | | | | |`);
			continue;
		}
		for (const row of name === OURS ? [OURS, OURS_WITH_FILES] : [name]) {
			const cells = [apply, noopThousand, noopTenThousand].flatMap((measured) => cell(measured, row));
			lines.push(`| ${[row, ...cells, growth(results, row)].join(" | ")} |`);
		}
	}
	lines.push(
		"",
		"Each of our migrations is committed together with its record, without waiting for the disk; the run ends with one",
		"flush. psql waits for the disk after each statement: the last line shows it without that.",
		"",
	);
	return lines.join("\n");
}

function cell(measured: Measured, name: string): string[] {
	const own = measured.get(OURS);
	const found = measured.get(name);
	if (!own || !found) return ["–", ""];
	const all = found.map((each) => Math.round(each)).join(", ");
	return [`**${Math.round(median(found))} ms** (${all})`, (median(found) / median(own)).toFixed(2)];
}

function growth({ noopThousand, noopTenThousand }: Results, name: string): string {
	const few = noopThousand.get(name);
	const many = noopTenThousand.get(name);
	return few && many ? `${Math.round(median(many) - median(few))} ms` : "–";
}
