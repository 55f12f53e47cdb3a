import type { Client } from "pg";
import type { Migration } from "../migrations/migration";
import { readRecords, readStoredSections } from "../migrations/records";
import type { PlannedSection } from "./hazards";

/** What will run on the idle colour while changes of the live one stream in. */
export async function plannedSections(
	client: Client,
	wanted: readonly Migration[],
): Promise<PlannedSection[]> {
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
	return [
		...undone.flatMap(({ version, name }): PlannedSection[] => {
			const section = stored.get(version)?.down;
			return section === undefined ? [] : [{ title: `undoing migration ${version} ${name}`, section }];
		}),
		...wanted
			.filter(({ version }) => !applied.has(version))
			.map(
				({ version, name, path, up }): PlannedSection => ({
					title: `migration ${version} ${name}`,
					path,
					section: up,
				}),
			),
	];
}
