import type { Settings } from "../settings/settings";
import { list, plain } from "./markdown";
import { locksTaken } from "./migration-section";
import type { Running } from "./migrations-text";
import type { Unknown } from "./report-inputs";

/** What somebody reads who reads nothing else. */
export function headed(headline: string, refusals: readonly string[], unknown: readonly Unknown[]): string[] {
	const reasons = new Map<string, string[]>();
	for (const { what, why } of unknown) reasons.set(why, [...(reasons.get(why) ?? []), what]);
	const missing = [...reasons].map(([why, what]) => `${what.join(", ")} (${plain(why)})`).join("; ");
	if (refusals.length > 0) {
		return [
			`**This would be refused**: ${headline}.`,
			list(refusals),
			...(missing === "" ? [] : [`Not known: ${missing}.`]),
		];
	}
	return [
		missing === ""
			? `${headline}. Nothing is known that stands against it.`
			: `${headline}. Nothing that is known stands against it. **Not known**: ${missing}.`,
	];
}

/** A release in one line. */
export async function headline(
	{ release, strategy }: Settings,
	last: { release: string } | undefined,
	{ applied, undone }: Running,
	breaking: number,
): Promise<string> {
	const from = last === undefined ? `release \`${release}\`` : `release \`${last.release}\` → \`${release}\``;
	const counted = [
		...(applied.length > 0 ? [count(applied.length)] : []),
		...(undone.length > 0 ? [`${count(undone.length)} undone`] : []),
	];
	const what =
		counted.length === 0 ? ["no migration"] : [...counted, ...(await locksText({ applied, undone }))];
	const broken =
		breaking === 0 || last === undefined
			? []
			: [
					`**${breaking === 1 ? "1 statement breaks" : `${breaking} statements break`} what release ${last.release} uses until the new one is ready**`,
				];
	return [from, strategy, ...what, ...broken].join(", ");
}

async function locksText({ applied, undone }: Running): Promise<string[]> {
	const downs = undone.map((each) => (typeof each === "string" ? undefined : each.down));
	const known = downs.filter((down) => down !== undefined);
	const locks = await locksTaken([...applied.map(({ up }) => up), ...known]);
	if (locks === "partly unknown" || known.length < downs.length) {
		return ["not all of whose locks are known"];
	}
	return locks === "none" ? ["no lock on what is there"] : [];
}

function count(migrations: number): string {
	return `${migrations} ${migrations === 1 ? "migration" : "migrations"}`;
}
