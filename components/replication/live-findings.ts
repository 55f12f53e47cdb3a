import type { Client } from "pg";
import { type Connection, withClient } from "../database/connection";
import type { Migration } from "../migrations/migration";
import type { Finding } from "./finding";
import { replicationHazards } from "./hazards";
import { identityFindings } from "./identity-checks";
import { type PlannedWork, plannedSections } from "./planned-sections";
import { replicatedTables } from "./tables";
import { unreplicatedData } from "./unreplicated-data";
import { leaveOut } from "./unwritten";

/**
 * What of the live database alone tells that a release cannot be built beside it, or only with care; for previews,
 * which have no idle colour to ask yet.
 *
 * @param live the live database, as its owner
 */
export function liveFindings(live: Connection, wanted: readonly Migration[]): Promise<Finding[]> {
	return withClient(live, { applicationName: "deployment-preview" }, async (client) =>
		findingsAgainst(client, await plannedSections(client, wanted)),
	);
}

/** The same of work that is known. Any role may ask that may read the database's catalogs. */
export async function findingsAgainst(
	client: Client,
	{ sections, unwritten }: PlannedWork,
): Promise<Finding[]> {
	const tables = await replicatedTables(client);
	const written = await leaveOut(client, tables, unwritten);
	return [
		...written.findings,
		...(await identityFindings(client, tables)),
		...(await unreplicatedData(client, sections)),
		...(await replicationHazards(sections, written.tables)),
	];
}
