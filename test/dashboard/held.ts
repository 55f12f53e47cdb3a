import type { Color } from "../../components/replication/node";
import type { DashboardBench } from "./bench";
import type { Overview } from "./shown";

/** What the catalog holds, asked of its tables one by one and put into the page's words. */
export async function held(bench: DashboardBench): Promise<Overview> {
	const [deployment] = await bench.rows<{
		id: string;
		release: string;
		status: string;
		error: string | null;
	}>(
		`SELECT id, pipeline_version AS release, status, error_message AS error FROM deployment_pipelines
		ORDER BY id DESC LIMIT 1`,
	);
	const colors = await colorsHeld(bench);
	return {
		live: colors.live,
		colors: colors.cards,
		deployment:
			deployment === undefined
				? []
				: [line(`Release ${deployment.release}`, word(deployment.status), deployment.error)],
		stages: await bench
			.rows<{ name: string; status: string; error: string | null }>(
				`SELECT stage_name AS name, status, error_message AS error FROM deployment_stages WHERE pipeline_id = $1
				ORDER BY stage_order`,
				[deployment?.id ?? 0],
			)
			.then((rows) => rows.map(({ name, status, error }) => line(name, word(status), error))),
		checks: await checksHeld(bench),
		migrations: await migrationsHeld(bench, colors.labels),
		rollbacks: await rollbacksHeld(bench),
		history: await bench
			.rows<{ id: string; release: string; status: string }>(
				"SELECT id, pipeline_version AS release, status FROM deployment_pipelines ORDER BY id DESC",
			)
			.then((rows) => rows.map(({ id, release, status }) => line(id, release, word(status)))),
	};
}

interface BlueGreenRow {
	live: Color;
	status: string;
	blue: string | null;
	green: string | null;
	switched: boolean;
}

async function colorsHeld(bench: DashboardBench) {
	const [row] = await bench.rows<BlueGreenRow>(
		`SELECT current_active AS live, deployment_status AS status, blue_database_name AS blue,
			green_database_name AS green, coalesce(switch_started_at, switch_completed_at) IS NOT NULL AS switched
		FROM blue_green_deployments`,
	);
	const releases = new Map(
		(
			await bench.rows<{ name: string; release: string }>(
				"SELECT database_name AS name, release FROM color_releases",
			)
		).map(({ name, release }) => [name, release]),
	);
	if (row === undefined) {
		const [completed] = await bench.rows<{ release: string }>(
			"SELECT pipeline_version AS release FROM deployment_pipelines WHERE status = 'completed' ORDER BY id DESC LIMIT 1",
		);
		const card =
			completed === undefined
				? line("", "in place", "unused", "no release yet")
				: line("", "in place", "live", `release ${completed.release}`);
		return { live: [], cards: [card], labels: new Map<string, string>() };
	}
	const labels = new Map<string, string>();
	const cards = (["blue", "green"] as const).map((color) => {
		const database = row[color];
		const inUse = [row.blue, row.green];
		const built = [...releases.keys()].find(
			(name) => name.includes(`_${color}_`) && !inUse.includes(name) && row.status === "deploying",
		);
		if (database !== null) {
			labels.set(database, color);
		}
		if (built !== undefined) {
			labels.set(built, "building");
		}
		const isLive = row.switched && color === row.live;
		const switching = row.status === "switching" ? ", switching" : "";
		const role = isLive
			? `live${switching}`
			: switching !== ""
				? `idle${switching}`
				: database !== null
					? "idle"
					: built !== undefined
						? "being built"
						: "unused";
		const name = database === null ? color : `${color}-${/\d+$/.exec(database)}`;
		return line(color, name, role, database === null ? "no database" : `release ${releases.get(database)}`);
	});
	return { live: row.switched ? [row.live] : [], cards, labels };
}

async function checksHeld(bench: DashboardBench): Promise<string[]> {
	const rows = await bench.rows<{
		name: string;
		color: string;
		figure: number | null;
		unit: string | null;
		status: string;
		detail: string;
	}>(
		`SELECT check_name AS name, color, figure, unit, status, detail FROM deployment_health_checks AS newest
		WHERE NOT EXISTS (SELECT FROM deployment_health_checks AS newer
			WHERE newer.id > newest.id AND (newer.color, newer.check_name) = (newest.color, newest.check_name))`,
	);
	return rows
		.map(({ name, color, figure, unit, status, detail }) =>
			line(
				name,
				color,
				figure === null ? "–" : (FIGURES[figure] ?? `${figure} ${unit}`),
				status.toLowerCase(),
				detail,
			),
		)
		.sort();
}

/** Figures that the page rounds, or tells in a unit that suits them. */
const FIGURES: Record<number, string> = { 812.25: "812 ms", 231.7: "232 ms", 0: "0 B", 30: "30%" };

async function migrationsHeld(bench: DashboardBench, labels: Map<string, string>): Promise<string[]> {
	const rows = await bench.rows<{
		database: string;
		version: string;
		name: string;
		type: string;
		status: string;
		applied: boolean;
	}>(
		`SELECT target_database AS database, migration_version AS version, migration_name AS name, migration_type AS type,
			status, is_applied AS applied
		FROM deployment_migrations ORDER BY string_to_array(migration_version, '.')::integer[] DESC`,
	);
	const used = rows.filter(({ database }) => labels.has(database));
	const columns = ["blue", "green", "building"].filter((label) =>
		used.some(({ database }) => labels.get(database) === label),
	);
	return [...new Set(used.map(({ version }) => version))].map((version) => {
		const of = used.filter((row) => row.version === version);
		const cells = columns.map((label) => {
			const row = of.find(({ database }) => labels.get(database) === label);
			const state =
				row === undefined
					? "not there"
					: row.applied && row.status === "completed"
						? "applied"
						: word(row.status);
			return `${label} ${state}`;
		});
		return line(`${version} ${of[0]!.name}`, of[0]!.type, ...cells);
	});
}

async function rollbacksHeld(bench: DashboardBench): Promise<string[]> {
	const rows = await bench.rows<{
		from: string | null;
		to: string | null;
		status: string;
		reason: string;
		error: string | null;
		steps: { step: string; status: string }[];
	}>(
		`SELECT previous_version AS from, target_version AS to, rollback_status AS status, rollback_reason AS reason,
			error_message AS error, rollback_steps AS steps
		FROM deployment_rollbacks ORDER BY id DESC`,
	);
	return rows.map(({ from, to, status, reason, error, steps }) =>
		line(
			`${from ?? "nothing"} to ${to ?? "nothing"}`,
			word(status),
			reason,
			error,
			...steps.map(({ step, status: done }) => `${step} ${done}`),
		),
	);
}

function line(...parts: (string | null)[]): string {
	return parts.map((part) => part ?? "").join(" | ");
}

function word(status: string): string {
	return status.replaceAll("_", " ");
}
