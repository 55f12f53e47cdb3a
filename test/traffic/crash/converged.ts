import assert from "node:assert/strict";
import type { QueryResultRow } from "pg";
import { type Connection, withClient } from "../../../components/database/connection";
import { linkName, type Node } from "../../../components/replication/node";
import { fenceState } from "../../../components/traffic/write-fence";
import { until } from "../../support/waiting";
import { check, describeDiscrepancies } from "../workload/checker";
import { compareColors } from "../workload/compare-colors";
import type { Ledger } from "../workload/ledger";
import type { Pair } from "./pair";

/** Which links there are: none, from the live colour to the idle one, or both ways. */
export type Links = "none" | "forward" | "both";

/**
 * Asserts that the two colours stand as if nothing had ever been killed: every write is on the live one, which alone is
 * open and has the traffic, the other one has the same, and nothing is left over anywhere. The writers must have stopped.
 */
export async function assertConverged(pair: Pair, ledger: Ledger, links: Links): Promise<void> {
	const { live, idle, gateway } = pair;
	assert.equal(describeDiscrepancies(await check(ledger, live.node.admin)), "");
	assert.ok(ledger.counts().acknowledged > 0);
	const { active, hold } = await gateway.client.status();
	assert.deepEqual({ active, hold }, { active: live.target.targetGroup, hold: null });
	assert.equal((await fenceOf(live.node))?.open, true);
	if (idle !== undefined && links !== "none") {
		assert.deepEqual(pick(await fenceOf(idle.node)), { open: false, leased: false });
		assert.deepEqual(await compareColors(live.node.admin, idle.node.admin), []);
	}
	await assertSequences(live.node);
	await assertLinks(pair, links);
	await assertNobodyLeft(pair);
}

/** Which of the two lets the application write. */
export async function openColors({ live, idle }: Pair): Promise<string[]> {
	const nodes = [live.node, ...(idle ? [idle.node] : [])];
	const states = await Promise.all(nodes.map(fenceOf));
	return nodes.filter((_, index) => states[index]?.open).map(({ color }) => color);
}

async function fenceOf({ admin }: Node) {
	return withClient(admin, { applicationName: "test" }, fenceState);
}

function pick(state: Awaited<ReturnType<typeof fenceOf>>): object | undefined {
	return state && { open: state.open, leased: state.leased };
}

async function assertSequences({ admin }: Node): Promise<void> {
	const [row] = await rows<{ accounts: boolean; tickets: boolean }>(
		admin,
		`SELECT (SELECT last_value FROM accounts_id_seq) >= (SELECT max(id) FROM accounts) AS accounts,
			(SELECT last_value FROM ticket_numbers) >= (SELECT coalesce(max(number), 0) FROM tickets) AS tickets`,
	);
	assert.deepEqual(row, { accounts: true, tickets: true });
}

async function assertLinks({ servers, live, idle }: Pair, links: Links): Promise<void> {
	const forward = idle && links !== "none" ? [linkName(live.node, idle.node)] : [];
	const back = idle && links === "both" ? [linkName(idle.node, live.node)] : [];
	const all = [...forward, ...back].sort();
	const slots: string[] = [];
	for (const server of new Set([servers.blue, servers.green])) {
		slots.push(
			...(await until("every slot is read from", async () => {
				const found = await rows<{ name: string; active: boolean }>(
					server,
					"SELECT slot_name AS name, active FROM pg_replication_slots WHERE starts_with(slot_name, $1)",
					[`${servers.base}_`],
				);
				return found.every(({ active }) => active) ? found.map(({ name }) => name) : undefined;
			})),
		);
	}
	assert.deepEqual(slots.sort(), all);
	await assertSide(live.node, forward, back);
	if (idle !== undefined) {
		await assertSide(idle.node, back, forward);
	}
}

/** What a colour sends and gets; its table without a key is told apart by all columns only while it sends. */
async function assertSide({ admin }: Node, sends: string[], gets: string[]): Promise<void> {
	const publications = await rows<{ name: string }>(admin, "SELECT pubname AS name FROM pg_publication");
	assert.deepEqual(
		publications.map(({ name }) => name),
		sends,
	);
	const subscriptions = await rows<{ name: string; subenabled: boolean }>(
		admin,
		`SELECT subname AS name, subenabled FROM pg_subscription
		WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
	);
	assert.deepEqual(
		subscriptions,
		gets.map((name) => ({ name, subenabled: true })),
	);
	const [events] = await rows<{ identity: string }>(
		admin,
		"SELECT relreplident AS identity FROM pg_class WHERE oid = to_regclass('events')",
	);
	if (events !== undefined) {
		assert.equal(events.identity, sends.length > 0 ? "f" : "d");
	}
}

/** No session of a killed process goes on: those that wait for something notice as well. */
async function assertNobodyLeft({ servers }: Pair): Promise<void> {
	for (const server of new Set([servers.blue, servers.green])) {
		await until("no session of the deployment is left", async () => {
			const left = await rows(
				server,
				`SELECT FROM pg_stat_activity WHERE starts_with(datname, $1)
					AND (application_name LIKE 'deployment%' OR application_name LIKE 'migrations of %')`,
				[`${servers.base}_`],
			);
			return left.length === 0;
		});
	}
}

export async function rows<T extends QueryResultRow>(
	connection: Connection,
	sql: string,
	values: unknown[] = [],
): Promise<T[]> {
	return withClient(
		connection,
		{ applicationName: "test" },
		async (client) => (await client.query<T>(sql, values)).rows,
	);
}
