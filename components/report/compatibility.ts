import type { LintWarning } from "../migrations/lint";
import type { Migration } from "../migrations/migration";
import { declaredTables } from "../replication/declared-tables";
import { describeFindings, type Finding } from "../replication/finding";
import { replicationHazards } from "../replication/hazards";
import { withoutUnwritten } from "../replication/unwritten";
import type { Settings } from "../settings/settings";
import { list } from "./markdown";

/** Rules of squawk's for what breaks a release that knows only the schema before. */
const BREAKING = new Set([
	"renaming-column",
	"renaming-table",
	"ban-drop-column",
	"ban-drop-table",
	"ban-drop-not-null",
	"changing-column-type",
	"adding-not-nullable-field",
	"adding-required-field",
	"ban-truncate-cascade",
]);

export interface Compatibility {
	text: string;
	/** What stands against a blue-green release. */
	refusals: string[];
}

/**
 * Whether the live release can run on the new schema and the new one on the old, by what the files say: a change is made
 * in two releases, one that adds (expand) and, once nobody uses the old any more, one that takes away (contract).
 *
 * @param present migrations of what is live
 * @param added those that the release brings
 */
export async function compatibility(
	{ strategy, release }: Pick<Settings, "strategy" | "release">,
	present: readonly Migration[],
	added: readonly Migration[],
	warnings: readonly LintWarning[],
): Promise<Compatibility> {
	const findings = await findingsOf(present, added);
	const errors = findings.filter(({ severity }) => severity === "error");
	const breaking = warnings.filter(({ rule, direction }) => direction === "up" && BREAKING.has(rule));
	const against = [
		...describeFindings(findings).split("\n").filter(Boolean),
		...breaking.map(({ version, line, message }) => `${version}, line ${line}: ${message}`),
	];
	const newest = added.at(-1)?.version;
	return {
		text: [
			`**The live release on the new schema**${strategy === "blue-green" ? " (it stays on its own database; its rows have to fit into the new one, and back)" : " (it serves on it until the new one is ready)"}:`,
			against.length === 0
				? "nothing in the migrations takes away, renames or narrows what it uses."
				: list(against),
			"**The new release on the old schema**:",
			newest === undefined
				? "there is no new schema."
				: `release ${release} needs schema ${newest} and does not become ready without it, so that it never serves on the old one. Going back needs no older schema under newer code either: ${strategy === "blue-green" ? "the colour before has its own" : "the service goes back before the migrations do"}.`,
		].join("\n\n"),
		refusals: strategy === "blue-green" ? errors.map(({ what, mend }) => `${what}; ${mend}`) : [],
	};
}

async function findingsOf(present: readonly Migration[], added: readonly Migration[]): Promise<Finding[]> {
	const tables = await declaredTables(present);
	const written = withoutUnwritten(
		tables,
		added.flatMap(({ unwritten = [] }) => unwritten),
	);
	const sections = added.map(({ version, name, path, up }) => ({
		title: `migration ${version} ${name}`,
		path,
		section: up,
	}));
	return [...written.findings, ...(await replicationHazards(sections, written.tables))];
}
