import type { LintWarning } from "../migrations/lint";
import type { Migration } from "../migrations/migration";
import { declaredTables } from "../replication/declared-tables";
import { describeFindings, type Finding } from "../replication/finding";
import { replicationHazards } from "../replication/hazards";
import { withoutUnwritten } from "../replication/unwritten";
import type { Settings } from "../settings/settings";
import { inPlaceChanges } from "./in-place-changes";
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
	/** How many statements break the release that serves meanwhile, in place. */
	breaking: number;
}

/** What would run. */
export interface Run {
	/** Migrations of what is live. */
	present: readonly Migration[];
	/** Those that the release brings. */
	applied: readonly Migration[];
	/** Those that are undone in place, as far as their files are here. */
	undone: readonly Migration[];
}

type Release = Pick<Settings, "strategy" | "release">;

/**
 * Whether the live release can run on the new schema and the new one on the old, by what the files say: a change is made
 * in two releases, one that adds (expand) and, once nobody uses the old any more, one that takes away (contract).
 */
export async function compatibility(
	settings: Release,
	run: Run,
	warnings: readonly LintWarning[],
): Promise<Compatibility> {
	const { live, ...rest } = await (settings.strategy === "blue-green"
		? onItsOwn(run, warnings)
		: inPlace(settings, run));
	const text = [...live, "**The new release on the old schema**:", newRelease(settings, run)];
	return { text: text.join("\n\n"), ...rest };
}

type LiveRelease = Omit<Compatibility, "text"> & { live: string[] };

/** The live release stays on its own database; its rows go into the new one. */
async function onItsOwn({ present, applied }: Run, warnings: readonly LintWarning[]): Promise<LiveRelease> {
	const findings = await findingsOf(present, applied);
	const errors = findings.filter(({ severity }) => severity === "error");
	const breaking = warnings.filter(({ rule, direction }) => direction === "up" && BREAKING.has(rule));
	const against = [
		...describeFindings(findings).split("\n").filter(Boolean),
		...breaking.map(({ version, line, message }) => `${version}, line ${line}: ${message}`),
	];
	return {
		live: [
			"**The live release on the new schema** (it stays on its own database; its rows have to fit into the new one, and back):",
			against.length === 0
				? "nothing was found in the migrations that takes away, renames or narrows what it writes. What policies, rules, defaults and functions do is not looked at."
				: list(against),
		],
		refusals: errors.map(({ what, mend }) => `${what}; ${mend}`),
		breaking: 0,
	};
}

/** The live release serves on the database that changes under it. */
async function inPlace({ release }: Release, { applied, undone }: Run): Promise<LiveRelease> {
	const back = await inPlaceChanges(
		undone.flatMap(({ down, path, version, name }) =>
			down === undefined ? [] : [{ section: down, title: `undoing ${version} ${name}, ${path}` }],
		),
	);
	const unwritten = applied.flatMap((migration) => migration.unwritten ?? []);
	const on = await inPlaceChanges(
		applied.map(({ up, path, version, name }) => ({
			section: up,
			title: `migration ${version} ${name}, ${path}`,
			unwritten,
		})),
	);
	return {
		live: [
			...(undone.length === 0
				? []
				: [
						`**What going back takes away** (the service goes back to release ${release} before; rows that are destroyed are saved first):`,
						changesText(back.map(({ what }) => what)),
					]),
			"**The live release on the new schema** (it serves on it until the new one is ready):",
			applied.length === 0
				? "there is no new schema."
				: changesText(on.map(({ what, breaks }) => (breaks ? `breaks what uses it: ${what}` : what))),
		],
		refusals: [],
		breaking: on.filter(({ breaks }) => breaks).length,
	};
}

function changesText(changes: readonly string[]): string {
	return changes.length === 0
		? "nothing was found that takes away, renames or narrows what was there, or acts on it. What functions, triggers and policies do is not looked into."
		: list(changes);
}

function newRelease({ strategy, release }: Release, { applied, undone }: Run): string {
	if (undone.length > 0) {
		return `release ${release} serves on the newer schema until the migrations are undone.`;
	}
	const newest = applied.at(-1)?.version;
	return newest === undefined
		? "there is no new schema."
		: `release ${release} needs schema ${newest} and does not become ready without it, so that it never serves on the old one. Going back needs no older schema under newer code either: ${strategy === "blue-green" ? "the colour before has its own" : "the service goes back before the migrations do"}.`;
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
