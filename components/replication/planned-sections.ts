import type { Client } from "pg";
import type { Migration } from "../migrations/migration";
import { readRecords, readStoredSections } from "../migrations/records";
import type { PlannedSection } from "./hazards";

export interface PlannedWork {
	sections: PlannedSection[];
	/** Tables and columns that the live release no longer writes, by the word of the migrations. */
	unwritten: string[];
}

/** What will run on the idle colour while changes of the live one stream in, and what that may drop. */
export async function plannedSections(client: Client, wanted: readonly Migration[]): Promise<PlannedWork> {
	const records = await readRecords(client);
	const applied = new Set(records.map(({ version }) => version));
	const kept = new Set(wanted.map(({ version }) => version));
	const undone = records.filter(({ version }) => !kept.has(version)).reverse();
	const stored =
		undone.length === 0
			? new Map()
			: await readStoredSections(
					client,
					undone.map(({ version }) => version),
				);
	const pending = wanted.filter(({ version }) => !applied.has(version));
	const sections = [
		...undone.flatMap(({ version, name }): PlannedSection[] => {
			const section = stored.get(version)?.down;
			return section === undefined ? [] : [{ title: `undoing migration ${version} ${name}`, section }];
		}),
		...pending.map(
			({ version, name, path, up }): PlannedSection => ({
				title: `migration ${version} ${name}`,
				path,
				section: up,
			}),
		),
	];
	return { sections, unwritten: pending.flatMap(({ unwritten = [] }) => unwritten) };
}
