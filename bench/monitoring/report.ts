/** The least that a question to the catalog can take. */
export const FLOOR = "`SELECT 1`";

/** Milliseconds of every round, by what was measured. */
type Times = Map<string, number[]>;

export interface Figures {
	deployments: number;
	indexed: Times;
	/** Without monitoring's own indexes. */
	bare: Times;
}

/** The results as a page. */
export function writeReport(figures: Figures[], run: { rounds: number; machine: string }): string {
	const lines = [
		"# Questions of monitoring",
		"",
		"Milliseconds that the catalog takes to answer what dashboard, `npm run status` and Prometheus ask, over deployments",
		`of three years with seven stages each, on a connection that is there already: median (95th percentile) of ${run.rounds} rounds in`,
		"turn, in one run. `SELECT 1` is the floor of any question; the aggregate over the whole table is what a question costs",
		"that no index helps. The last column is the same catalog without monitoring's own indexes.",
		"",
		`Machine: ${run.machine}. Repeat: \`npm run bench:monitoring\`.`,
	];
	for (const { deployments, indexed, bare } of figures) {
		const floor = median(indexed.get(FLOOR) ?? []);
		lines.push(
			"",
			`## ${deployments.toLocaleString("en")} deployments`,
			"",
			"| | ms | times the floor | without the indexes, ms |",
			"| --- | --- | --- | --- |",
		);
		for (const [name, times] of indexed) {
			const cells = [name, show(times), (median(times) / floor).toFixed(1), show(bare.get(name) ?? [])];
			lines.push(`| ${cells.join(" | ")} |`);
		}
	}
	return [...lines, ""].join("\n");
}

function show(times: number[]): string {
	return `**${median(times).toFixed(2)}** (${percentile(times, 95).toFixed(2)})`;
}

function median(times: number[]): number {
	return percentile(times, 50);
}

function percentile(times: number[], percent: number): number {
	const sorted = [...times].sort((left, right) => left - right);
	return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}
