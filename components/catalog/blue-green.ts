import { type ClientBase, escapeIdentifier } from "pg";
import type { Node } from "../replication/node";
import type { EnvironmentType } from "./deployments";

export type BlueGreenStatus = "idle" | "deploying" | "switching" | "completed" | "failed";

/** Writes down which database and which release a colour has, and what is going on. */
export async function noteColor(
	client: ClientBase,
	environment: EnvironmentType,
	{ base, color, admin }: Node,
	release: string,
	status: BlueGreenStatus,
): Promise<void> {
	const columns = ["host", "port", "name"].map((part) => escapeIdentifier(`${color}_database_${part}`));
	await client.query(
		`INSERT INTO blue_green_deployments (deployment_name, environment, deployment_status, ${columns.join(", ")})
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (deployment_name) DO UPDATE SET deployment_status = EXCLUDED.deployment_status,
			${columns.map((column) => `${column} = EXCLUDED.${column}`).join(", ")}`,
		[base, environment, status, admin.host, admin.port, admin.database],
	);
	await noteRelease(client, admin.database, release);
}

/** Writes down which release a colour's database is for. */
async function noteRelease(client: ClientBase, database: string, release: string): Promise<void> {
	await client.query(
		`INSERT INTO color_releases AS current (database_name, release) VALUES ($1, $2)
		ON CONFLICT (database_name) DO UPDATE SET release = EXCLUDED.release WHERE current.release <> EXCLUDED.release`,
		[database, release],
	);
}

/** Writes down that a colour is being built for a release; which database it has is told once that has the rows. */
export async function noteBuilding(
	client: ClientBase,
	{ base, admin }: Pick<Node, "base" | "admin">,
	release: string,
): Promise<void> {
	await client.query(
		`UPDATE blue_green_deployments SET deployment_status = 'deploying', rollback_triggered = false
		WHERE deployment_name = $1`,
		[base],
	);
	await noteRelease(client, admin.database, release);
}

/** Writes down that the traffic begins to move. */
export async function noteSwitchStarted(client: ClientBase, { base }: Pick<Node, "base">): Promise<void> {
	await client.query(
		`UPDATE blue_green_deployments SET deployment_status = 'switching', switch_started_at = clock_timestamp(),
			switch_completed_at = NULL, rollback_triggered = false WHERE deployment_name = $1`,
		[base],
	);
}

/** Writes down which colour has the traffic from now on, while it is still watched there. */
export async function noteSwitched(
	client: ClientBase,
	{ base, color }: Pick<Node, "base" | "color">,
): Promise<void> {
	await client.query(
		`UPDATE blue_green_deployments SET current_active = $2, switch_completed_at = clock_timestamp()
		WHERE deployment_name = $1`,
		[base, color],
	);
}

/** Writes down that what was going on has failed, where anything was. Who has the traffic is left as it was. */
export async function noteFailed(client: ClientBase, environment: EnvironmentType): Promise<void> {
	await client.query(
		`UPDATE blue_green_deployments SET deployment_status = 'failed'
		WHERE environment = $1 AND deployment_status IN ('deploying', 'switching')`,
		[environment],
	);
}

/**
 * Writes down that the database of a colour is dropped. Where it is the one that is on record, the release that it was
 * built for has been given up: the colour has again what it had before.
 *
 * @param left the colour's other database, where there is one
 */
export async function noteDropped(client: ClientBase, dropped: Node, left: Node | undefined): Promise<void> {
	const { base, color, admin } = dropped;
	const [host, port, name] = ["host", "port", "name"].map((part) =>
		escapeIdentifier(`${color}_database_${part}`),
	);
	await client.query(
		`UPDATE blue_green_deployments SET deployment_status = 'idle', ${host} = $3, ${port} = $4, ${name} = $5
		WHERE deployment_name = $1 AND ${name} = $2`,
		[base, admin.database, left?.admin.host ?? null, left?.admin.port ?? null, left?.admin.database ?? null],
	);
	await client.query("DELETE FROM color_releases WHERE database_name = $1", [admin.database]);
}

/** Writes down which colour has the traffic to stay, and whether it went back there. */
export async function noteLive(
	client: ClientBase,
	{ base, color }: Pick<Node, "base" | "color">,
	outcome: {
		status: "completed" | "failed";
		rollback: boolean;
		health: readonly { check: string; status: string }[];
	},
): Promise<void> {
	await client.query(
		`UPDATE blue_green_deployments SET current_active = $2, deployment_status = $3, rollback_triggered = $4,
			health_check_results = $5, switch_completed_at = clock_timestamp() WHERE deployment_name = $1`,
		[base, color, outcome.status, outcome.rollback, JSON.stringify(outcome.health)],
	);
}
