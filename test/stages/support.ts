import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { escapeIdentifier, escapeLiteral } from "pg";
import { type Connection, withClient } from "../../components/database/connection";
import { loadMigrations } from "../../components/migrations/files";
import { migrate } from "../../components/migrations/run";
import { runStage } from "../../components/pipeline/run-stage";
import { stageEnvironment } from "../../components/pipeline/stage-environment";
import { installFence, openFence } from "../../components/traffic/write-fence";
import { type Bench, openBench } from "../migrations/support";
import { RunningService } from "../service/running-service";
import { query } from "../support/project";

const ROOT = resolve(__dirname, "../..");
const FENCE_TIMEOUT_MS = 10_000;

/** A database with the project's own schema and the role of a service, as a colour has them. */
export interface StagedDatabase {
	bench: Bench;
	owner: Connection;
	superuser: Connection;
	application: Connection;
	close(): Promise<void>;
}

/** @param fence whether the application may write; `none` is a database of strategy in-place */
export async function stagedDatabase(fence: "closed" | "open" | "none"): Promise<StagedDatabase> {
	const bench = await openBench();
	const { owner, superuser } = bench.target;
	await migrate(bench.options(loadMigrations(resolve(ROOT, "migrations"))));
	const user = `${owner.user}_app`;
	const password = randomBytes(12).toString("hex");
	const [role, database] = [escapeIdentifier(user), escapeIdentifier(owner.database)];
	await query(superuser, `CREATE ROLE ${role} LOGIN PASSWORD ${escapeLiteral(password)}`);
	await withClient(owner, { applicationName: "test" }, async (client) => {
		await client.query(
			`REVOKE ALL ON DATABASE ${database} FROM PUBLIC; GRANT CONNECT ON DATABASE ${database} TO ${role};
			GRANT USAGE ON SCHEMA public TO ${role};
			GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};
			GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`,
		);
		if (fence !== "none") {
			await installFence(client, owner.user, FENCE_TIMEOUT_MS);
		}
		if (fence === "open") {
			await openFence(client, 1);
		}
	});
	return {
		bench,
		owner,
		superuser,
		application: { ...owner, user, password },
		async close() {
			await bench.close();
			await query({ ...superuser, database: "postgres" }, `DROP ROLE IF EXISTS ${role}`);
		},
	};
}

export function serviceOn({ application }: StagedDatabase): Promise<RunningService> {
	return RunningService.start(application);
}

/** How a stage's program ended. */
export interface StageOutcome {
	passed: boolean;
	lines: string[];
	/** The tests that did not pass. */
	failed: string[];
}

/** Runs a shipped stage as the deployment does. */
export async function runShipped(
	program: string,
	{ owner, application }: StagedDatabase,
	changes: {
		args?: string[];
		url?: string;
		strategy?: string;
		settings?: object;
		writes?: "served" | "refused";
	} = {},
): Promise<StageOutcome> {
	const { args = [], url, strategy = "blue-green", settings = {}, writes = "refused" } = changes;
	const lines: string[] = [];
	const passed = await runStage({
		command: ["node", "--require", "tsx/cjs", `stages/${program}.ts`, ...args],
		directory: ROOT,
		environment: stageEnvironment(
			{
				name: program,
				environment: "staging",
				strategy,
				release: "1.3.0",
				writes,
				owner,
				application,
				settings: {
					platform: "local",
					serviceEntry: "service/main.ts",
					migrationsDirectory: "migrations",
					...settings,
				},
				...(url !== undefined && { url }),
			},
			process.env,
		),
		timeoutMs: 120_000,
		secrets: [owner.password, application.password],
		log: (line) => lines.push(line),
	}).then(
		() => true,
		() => false,
	);
	const failed = lines.flatMap((line) => /^not ok \d+ - (.*)$/.exec(line)?.[1] ?? []);
	return { passed, lines, failed };
}

/** Everything in the tables of the application, and where its sequences stand. */
export async function contentsOf({ superuser }: StagedDatabase): Promise<unknown> {
	const [rows] = await query(
		superuser,
		`SELECT (SELECT jsonb_agg(to_jsonb(cameras) ORDER BY id) FROM cameras) AS cameras,
			(SELECT jsonb_agg(to_jsonb(counting_results) ORDER BY id) FROM counting_results) AS results,
			(SELECT jsonb_agg(to_jsonb(pg_sequences) ORDER BY sequencename) FROM pg_sequences WHERE schemaname = 'public') AS sequences,
			(SELECT jsonb_agg(relname ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace) AS relations`,
	);
	return rows;
}

/** Some cameras with results, as a copied colour has them: with ids that its sequences do not know of. */
export async function fill({ owner }: StagedDatabase): Promise<void> {
	await query(
		owner,
		"INSERT INTO cameras (id, camera_name) SELECT n, 'camera ' || n FROM generate_series(1, 7) AS n",
	);
	await query(
		owner,
		`INSERT INTO counting_results (id, camera_id, count_type, count_value)
		SELECT n, 1 + n % 7, 'person', n FROM generate_series(1, 70) AS n`,
	);
}
