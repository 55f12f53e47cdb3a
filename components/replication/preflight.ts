import type { Client, ClientBase } from "pg";
import { diskFindings, keptLogFindings } from "./disk-space";
import type { Finding } from "./finding";
import { type PlannedSection, replicationHazards } from "./hazards";
import { identityFindings } from "./identity-checks";
import { neighborFindings } from "./neighbors";
import { type RowSecurityOptions, rowSecurityFindings } from "./row-security";
import { capacityFindings, serverCapacity } from "./server-capacity";
import { replicatedTables } from "./tables";
import { unreplicatedData } from "./unreplicated-data";
import { leaveOut } from "./unwritten";

export interface PreflightOptions extends RowSecurityOptions {
	/** What will run on the target while changes stream in. */
	sections: readonly PlannedSection[];
	/** What the live release no longer writes, so that the sections may drop it. */
	unwritten?: readonly string[];
	/** Bytes free on the disk of each server, where that can be known. */
	freeBytes?: { source?: number; target?: number };
}

/** All that stands against keeping `target` in step with `source`, at once. Reads only. */
export async function preflight(options: PreflightOptions): Promise<Finding[]> {
	const { source, target, sections, freeBytes = {}, copying } = options;
	const sameServer = (await serverIdentity(source)) === (await serverIdentity(target));
	const tables = await replicatedTables(source);
	const written = await leaveOut(source, tables, options.unwritten ?? []);
	const databaseBytes = copying ? await sizeOf(source) : 0;
	const { keptWalBytes } = await serverCapacity(source);
	return [
		...written.findings,
		...(await serverFindings(source, target, sameServer)),
		...(copying
			? [
					...diskFindings({ databaseBytes, free: freeBytes, sameServer }),
					...keptLogFindings({ databaseBytes, keptWalBytes, sameServer }),
				]
			: []),
		...(await identityFindings(source, tables)),
		...(await rowSecurityFindings(options)),
		...(await unreplicatedData(source, sections)),
		...(await neighborFindings(source, tables, copying)),
		...(await replicationHazards(sections, written.tables)),
	];
}

/** Tells two servers apart, whatever they are called in connections. */
async function serverIdentity(client: ClientBase): Promise<string> {
	const { rows } = await client.query(
		`SELECT concat_ws(' ', pg_postmaster_start_time(), current_setting('port'),
			current_setting('data_directory', true)) AS identity`,
	);
	return rows[0].identity;
}

async function sizeOf(client: ClientBase): Promise<number> {
	const { rows } = await client.query("SELECT pg_database_size(current_database())::float8 AS bytes");
	return rows[0].bytes;
}

async function serverFindings(source: Client, target: Client, sameServer: boolean): Promise<Finding[]> {
	const [live, idle] = [await linkEnds(source), await linkEnds(target)];
	// Links that are there already have all they need.
	const forward = live.slots.some((slot) => idle.subscribedSlots.includes(slot)) ? 0 : 1;
	const back = idle.slots.some((slot) => live.subscribedSlots.includes(slot)) ? 0 : 1;
	const capacity = await serverCapacity(source);
	if (sameServer) {
		const links = forward + back;
		return capacityFindings({ name: "the server of both colours", capacity, sends: links, receives: links });
	}
	return [
		...capacityFindings({ name: "the live colour's server", capacity, sends: forward, receives: back }),
		...capacityFindings({
			name: "the idle colour's server",
			capacity: await serverCapacity(target),
			sends: back,
			receives: forward,
		}),
	];
}

async function linkEnds(client: ClientBase): Promise<{ slots: string[]; subscribedSlots: string[] }> {
	const { rows } = await client.query(
		`SELECT ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE database = current_database()) AS slots,
			ARRAY(
				SELECT subslotname::text FROM pg_subscription JOIN pg_database ON pg_database.oid = subdbid
				WHERE datname = current_database() AND subslotname IS NOT NULL
			) AS "subscribedSlots"`,
	);
	return rows[0];
}
