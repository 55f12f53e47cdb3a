import type { Node } from "libpg-query";
import type { Section } from "../migrations/migration";
import { lineOf, statementsOf } from "../migrations/statements";
import type { Finding } from "./finding";
import { LiveSchema } from "./live-schema";
import { rowHazards } from "./row-hazards";
import { schemaHazards } from "./schema-hazards";
import { commandHazards, unfilledColumns } from "./table-hazards";
import type { ReplicatedTable } from "./tables";

/** SQL that will run on the idle colour while changes of the live one stream in. */
export interface PlannedSection {
	/** Such as `migration 1.2.0 add_zones`. */
	title: string;
	/** The file, where there is one. */
	path?: string;
	section: Section;
}

/**
 * What planned SQL does that would stop changes of the live colour from being applied, or the way back, or that they
 * would undo. Tables and columns that the same SQL makes are its own affair. Names without a schema are of `public`.
 *
 * @param tables those of the live side
 * @throws Error when PostgreSQL's parser refuses a section
 */
export async function replicationHazards(
	sections: readonly PlannedSection[],
	tables: readonly ReplicatedTable[],
): Promise<Finding[]> {
	const live = new LiveSchema(tables);
	const findings: Finding[] = [];
	for (const planned of sections) {
		for (const { node, start } of await statementsOf(planned.section)) {
			const where = placeOf(planned, start);
			for (const hazard of hazardsOf(node, live)) {
				findings.push({ ...hazard, what: `${where}: ${hazard.what}` });
			}
		}
	}
	return findings;
}

function placeOf({ title, path, section }: PlannedSection, index: number): string {
	const line = lineOf(section, index);
	return path === undefined ? `${title}, line ${line} of its stored SQL` : `${title}, ${path}:${line}`;
}

function hazardsOf(node: Node, live: LiveSchema): Finding[] {
	if (!("AlterTableStmt" in node) || node.AlterTableStmt.objtype === "OBJECT_TYPE") {
		return [...schemaHazards(node, live), ...rowHazards(node, live)];
	}
	const { relation, cmds = [] } = node.AlterTableStmt;
	const table = live.find(relation);
	const attached = schemaHazards(node, live);
	if (table === undefined) {
		return attached;
	}
	const hazards = cmds.flatMap((command) =>
		"AlterTableCmd" in command ? commandHazards(command.AlterTableCmd, table) : [],
	);
	return [...attached, ...hazards, ...unfilledColumns(table)];
}
