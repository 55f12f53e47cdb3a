import { type LoadReport, longestGap } from "./load";
import type { Verification } from "./verify";

/** An update under load. */
export interface SwitchSpan {
	what: string;
	/** Milliseconds of `performance.now()`. */
	from: number;
	to: number;
	/** What the update itself measured: how long requests waited at the router. */
	pauseMs: number;
}

const SHOWN = 5;

/** What became of every request and every acknowledged write. */
export function describeReport(
	report: LoadReport,
	spans: readonly SwitchSpan[],
	{ checked, lost, duplicated }: Verification,
): string {
	const requests = report.reads + report.writes;
	const rows = [
		["requests", `${requests} (${report.reads} reads, ${report.writes} writes)`],
		["failed", String(report.failures.length)],
		...spans.map(({ what, from, to, pauseMs }) => [
			what,
			`${((to - from) / 1000).toFixed(1)} s; requests waited ${pauseMs} ms, no write was acknowledged for ` +
				`${longestGap(report.acknowledgedAt, from, to).toFixed(0)} ms at the longest, slowest request ` +
				`${slowest(report, from, to).toFixed(0)} ms`,
		]),
		["acknowledged writes checked on the live colour", String(checked)],
		["lost", String(lost.length)],
		["duplicated", String(duplicated.length)],
	];
	const width = Math.max(...rows.map(([name]) => name!.length));
	const lines = rows.map(([name, value]) => `  ${name!.padEnd(width)}  ${value}`);
	const failures = report.failures.slice(0, SHOWN).map(({ what }) => `  failed: ${what}`);
	return ["", ...lines, ...failures, ""].join("\n");
}

function slowest({ latencies }: LoadReport, from: number, to: number): number {
	return latencies.reduce((most, { at, ms }) => (at >= from && at <= to ? Math.max(most, ms) : most), 0);
}
