import type { ClientBase } from "pg";
import { COLORS } from "../../components/replication/node";
import type { Color, ColorState, Traffic } from "../state";
import { moment } from "./rows";

interface Row {
	current_active: Color;
	deployment_status: string;
	blue_database_host: string | null;
	blue_database_port: number | null;
	blue_database_name: string | null;
	green_database_host: string | null;
	green_database_port: number | null;
	green_database_name: string | null;
	switch_started_at: Date | null;
	switch_completed_at: Date | null;
	rollback_triggered: boolean;
}

interface ColorDatabase {
	name: string;
	color: string;
	generation: number;
	release: string;
}

/** Which colour has the traffic, and what each of them has. */
export async function readTraffic(client: ClientBase, environment: string): Promise<Traffic> {
	const { rows } = await client.query<Row>(
		`SELECT current_active, deployment_status, blue_database_host, blue_database_port, blue_database_name,
			green_database_host, green_database_port, green_database_name, switch_started_at, switch_completed_at,
			rollback_triggered
		FROM blue_green_deployments WHERE environment = $1 ORDER BY updated_at DESC LIMIT 1`,
		[environment],
	);
	const row = rows[0];
	const databases = row === undefined ? [] : await colorDatabases(client);
	const colors = row === undefined ? [] : COLORS.map((color) => colorState(color, row, databases));
	const live = row !== undefined && hasSwitched(row) ? row.current_active : null;
	return {
		live,
		status: row?.deployment_status ?? null,
		switchStartedAt: moment(row?.switch_started_at ?? null),
		switchCompletedAt: moment(row?.switch_completed_at ?? null),
		wentBack: row?.rollback_triggered ?? false,
		colors,
		release:
			row === undefined
				? await completedRelease(client, environment)
				: (colors.find(({ color }) => color === live)?.release ?? null),
	};
}

/** The databases whose releases are on record, newest generation first. */
async function colorDatabases(client: ClientBase): Promise<ColorDatabase[]> {
	const { rows } = await client.query<{ name: string; release: string }>(
		"SELECT database_name AS name, release FROM color_releases",
	);
	return rows
		.flatMap(({ name, release }) => {
			const [, color, generation] = /_(blue|green)_(\d+)$/.exec(name) ?? [];
			return color === undefined ? [] : [{ name, color, generation: Number(generation), release }];
		})
		.sort((left, right) => right.generation - left.generation);
}

function colorState(color: Color, row: Row, databases: readonly ColorDatabase[]): ColorState {
	const database = row[`${color}_database_name`];
	const generation = generationIn(database);
	const next = databases.find((other) => other.color === color && other.generation > (generation ?? 0));
	const isBuilding = next !== undefined && row.deployment_status === "deploying";
	return {
		color,
		database,
		address: database === null ? null : `${row[`${color}_database_host`]}:${row[`${color}_database_port`]}`,
		release: databases.find(({ name }) => name === database)?.release ?? null,
		generation,
		building: isBuilding ? { database: next.name, generation: next.generation, release: next.release } : null,
	};
}

/** Before the first time the catalog names a colour as active that has no traffic yet. */
function hasSwitched({ switch_started_at, switch_completed_at }: Row): boolean {
	return switch_started_at !== null || switch_completed_at !== null;
}

/** The generation ends the name of a colour's database. */
function generationIn(database: string | null): number | null {
	const [, digits] = /_(\d+)$/.exec(database ?? "") ?? [];
	return digits === undefined ? null : Number(digits);
}

async function completedRelease(client: ClientBase, environment: string): Promise<string | null> {
	const { rows } = await client.query<{ release: string }>(
		`SELECT pipeline_version AS release FROM deployment_pipelines
		WHERE environment = $1 AND status = 'completed' ORDER BY id DESC LIMIT 1`,
		[environment],
	);
	return rows[0]?.release ?? null;
}
