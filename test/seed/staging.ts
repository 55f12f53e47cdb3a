import { cpSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Color } from "../../components/replication/node";
import { environmentDefaults } from "../../components/settings/environments";
import { Receiver } from "../monitoring/receiver";
import { BlueGreenProject, type Standing } from "../support/blue-green-project";
import { sections } from "../support/deployed-project";
import { type CommandResult, finished } from "../support/project";
import { declareStages, ownStage } from "../support/recorded-stages";
import { type Traffic, underTraffic } from "../support/traffic";
import { shared } from "./shared";

/** What the database says after a release. */
export interface Observed {
	standing: Standing;
	/** The row of `blue_green_deployments`. */
	recorded: Record<string, unknown>;
}

/** A staging stack after five updates: the first, one that raised the release, one that put it back, two that failed. */
export interface Staging {
	project: BlueGreenProject;
	receiver: Receiver;
	first: Observed;
	raised: Observed & {
		traffic: Traffic<CommandResult>;
		databases: string[];
		/** Of the camera that was there before. */
		location: unknown;
		/** Hourly totals of that camera as the live service and as its database tell them. */
		totals: { before: Totals; after: Totals; stored: number };
		indexIsValid: boolean;
	};
	/** What was written through the new colour before its release was put back. */
	written: { cameraId: number; resultId: number };
	/** `savedFiles`: of rows that were saved before they were destroyed. */
	putBack: Observed & { result: CommandResult; savedFiles: string[]; totals: Totals };
	refused: Observed & { result: CommandResult };
	withdrawn: Observed & { traffic: Traffic<CommandResult> };
}

export interface Totals {
	cache: string | null;
	total: number;
}

/** The ids of the deployments in the catalog. */
export const FIRST = 1;
export const RAISED = 2;
export const PUT_BACK = 3;
export const REFUSED = 4;
export const WITHDRAWN = 5;

export const FIRST_RELEASE = "1.3.1";
export const NEW_RELEASE = "1.5.1";
export const FAILING_RELEASE = "1.6.0";

export const useStaging = shared<Staging>(
	async () => {
		const project = new BlueGreenProject("embedded", { release: FIRST_RELEASE });
		const receiver = await Receiver.start(204);
		try {
			return await play(project, receiver);
		} catch (error) {
			await discard({ project, receiver });
			throw error;
		}
	},
	(staging) => discard(staging),
);

async function discard({ project, receiver }: Pick<Staging, "project" | "receiver">): Promise<void> {
	await receiver.stop();
	await project.discard();
}

async function play(project: BlueGreenProject, receiver: Receiver): Promise<Staging> {
	writeMigrations(project);
	await project.init();
	await project.must("config", "set", "--secret", "notifyUrl", receiver.url, "-s", project.stack);
	await project.mustUp();
	const first = await observe(project);
	const cameraId = await post(project, "/cameras", { cameraName: "north gate" });
	await post(project, "/counting-results", resultOf(cameraId, 5));
	const before = await totalsOf(project, cameraId);

	project.configure({ release: NEW_RELEASE });
	declareStages(project, [
		...fullTests(),
		ownStage(
			"Acceptance Tests",
			'fetch(process.env.COLOR_URL + "/cameras").then(async (reply) => { console.log("the operator sees " + (await reply.json()).cameras.length + " cameras"); process.exit(reply.ok ? 0 : 1); })',
		),
	]);
	const traffic = await underTraffic(project, () => project.up());
	mustSucceed(traffic.result);
	const raised = await observe(project);
	const { standing } = raised;
	const resultId = await post(project, "/counting-results", resultOf(cameraId, 7));
	const newCameraId = await post(project, "/cameras", { cameraName: "  made by the new colour  " });
	await request(project, `/cameras/${newCameraId}`, "PATCH", { metadata: { lens: 35 } });
	const live = <T extends object>(sql: string) => project.onColor<T>(standing, standing.live, sql);
	const [stored] = await live<{ total: number }>(
		`SELECT sum(count_value)::int AS total FROM counting_results WHERE camera_id = ${cameraId}`,
	);
	const [index] = await live<{ valid: boolean }>(
		"SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'idx_counting_results_camera_time'::regclass",
	);
	const [camera] = await live<{ location: string }>(`SELECT location FROM cameras WHERE id = ${cameraId}`);
	const seen = {
		traffic,
		databases: (await project.inventory()).databases,
		location: camera?.location,
		totals: { before, after: await totalsOf(project, cameraId), stored: stored?.total ?? 0 },
		indexIsValid: index?.valid ?? false,
	};

	const putBack = await finished(project.start(["--stack", project.stack], {}, "rollback.ts"));
	mustSucceed(putBack);
	const totals = await totalsOf(project, cameraId);
	const afterwards = await observe(project);
	const backups = project.local("backups");
	const savedFiles = existsSync(backups) ? readdirSync(backups) : [];

	return {
		project,
		receiver,
		first,
		raised: { ...raised, ...seen },
		written: { cameraId: newCameraId, resultId },
		putBack: { ...afterwards, result: putBack, savedFiles, totals },
		refused: await refuse(project),
		withdrawn: await withdraw(project),
	};
}

/** A release that cannot be read at an endpoint, which its health checks ask before it gets the traffic. */
async function refuse(project: BlueGreenProject): Promise<Staging["refused"]> {
	project.addTable(FAILING_RELEASE, "zones");
	writeService(project, "unreadable.ts", 'request.url.startsWith("/cameras")');
	declareStages(project, []);
	project.configure({
		release: FAILING_RELEASE,
		serviceEntry: "service/unreadable.ts",
		readyTimeoutSeconds: 2,
	});
	const result = await project.up();
	return { result, ...(await observe(project)) };
}

/** The same release, whose checks pass now; once it has the traffic it takes no writes. */
async function withdraw(project: BlueGreenProject): Promise<Staging["withdrawn"]> {
	writeService(project, "turning.ts", 'request.method !== "GET"');
	project.configure({
		serviceEntry: "service/turning.ts",
		readyTimeoutSeconds: undefined,
		bakeSeconds: 3,
	});
	const traffic = await underTraffic(project, () => project.up());
	return { traffic, ...(await observe(project)) };
}

/** @param fails the requests that are answered with an error, as an expression of the program */
function writeService(project: BlueGreenProject, file: string, fails: string): void {
	writeFileSync(
		project.path("service", file),
		`
		import { Server } from "node:http";
		const emit = Server.prototype.emit;
		Server.prototype.emit = function (event, request, response) {
			if (event !== "request" || !(${fails})) {
				return emit.apply(this, arguments);
			}
			response.statusCode = 500;
			request.resume();
			response.end("{}");
			return true;
		};
		require("./main.ts");
	`,
	);
}

/** The stages of the environment's own, the load being shorter than by default. */
function fullTests(): object[] {
	return environmentDefaults.staging.stages.map(({ command, ...stage }) => ({
		...stage,
		command: command.some((part) => part.endsWith("/load.ts"))
			? [...command, "--seconds=1", "--min-requests=1", "--p99-ms=10000"]
			: command,
	}));
}

function writeMigrations(project: BlueGreenProject): void {
	project.migration(
		"1.3.1_seed_cameras.sql",
		sections({
			type: "data",
			header: ["-- environments: development, staging", "-- depends: create_initial_schema"],
			up: "INSERT INTO cameras (camera_name) VALUES ('demo camera');",
			down: "DELETE FROM cameras WHERE camera_name = 'demo camera';",
		}),
	);
	project.bringMigration("1.4.0_add_ingested_batches.sql");
	project.migration(
		"1.5.0_tidy_cameras.sql",
		sections({ type: "function", up: FUNCTIONS, down: DROP_FUNCTIONS }),
	);
	project.migration(
		"1.5.1_fill_locations.sql",
		sections({
			type: "data",
			header: ["-- depends: create_initial_schema"],
			up: "UPDATE cameras SET location = 'unknown' WHERE location IS NULL;",
			down: "UPDATE cameras SET location = NULL WHERE location = 'unknown';",
		}),
	);
	const tests = project.path("stages", "database");
	cpSync(
		join(__dirname, "..", "..", "stages", "database", "1.4.0_ingested_batches.sql"),
		join(tests, "1.4.0.sql"),
	);
	writeFileSync(join(tests, "1.5.0_tidy_cameras.sql"), FUNCTION_TESTS);
}

const FUNCTIONS = `CREATE FUNCTION tidy(name text) RETURNS text LANGUAGE sql IMMUTABLE RETURN btrim(name);
CREATE PROCEDURE retire_camera(camera integer) LANGUAGE sql
BEGIN ATOMIC
	UPDATE cameras SET status = 'retired' WHERE id = camera;
END;
CREATE FUNCTION tidy_camera() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.camera_name := tidy(NEW.camera_name);
	RETURN NEW;
END;
$$;
CREATE TRIGGER tidy_camera BEFORE INSERT OR UPDATE ON cameras FOR EACH ROW EXECUTE FUNCTION tidy_camera();`;

const DROP_FUNCTIONS = `DROP TRIGGER tidy_camera ON cameras;
DROP FUNCTION tidy_camera();
DROP PROCEDURE retire_camera(integer);
DROP FUNCTION tidy(text);`;

const FUNCTION_TESTS = `SELECT pg_temp.is(tidy('  gate '), 'gate', 'the function takes spaces off a name');
INSERT INTO cameras (id, camera_name) VALUES (-1, '  gate ');
SELECT pg_temp.is(camera_name, 'gate', 'the trigger tidies a new camera') FROM cameras WHERE id = -1;
CALL retire_camera(-1);
SELECT pg_temp.is(status, 'retired', 'the procedure retires a camera') FROM cameras WHERE id = -1;
`;

async function observe(project: BlueGreenProject): Promise<Observed> {
	const [recorded] = await project.catalog("SELECT * FROM blue_green_deployments");
	return { standing: await project.current(), recorded: recorded ?? {} };
}

/** The name of the database of the colour that has the traffic. */
export function liveDatabase(project: BlueGreenProject, { live, colors }: Standing): string {
	return `${project.base}_${live}_${generationOf(colors, live)}`;
}

function generationOf(colors: Standing["colors"], color: Color): number {
	return colors[color]?.generation ?? 0;
}

function mustSucceed({ code, output }: CommandResult): void {
	if (code !== 0) {
		throw new Error(`the command ended with ${code}:\n${output}`);
	}
}

const NOON = "2026-01-01T12:00:00Z";

function resultOf(cameraId: number, countValue: number): object {
	return { cameraId, countType: "person", countValue, createdAt: NOON };
}

/** Asked twice: the second answer is the one that the cache may give. */
async function totalsOf(project: BlueGreenProject, cameraId: number): Promise<Totals> {
	const ask = () =>
		request(
			project,
			`/counting-results/hourly?cameraId=${cameraId}&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z`,
		);
	await ask();
	const { headers, body } = await ask();
	const { hours } = body as { hours: { total: number }[] };
	return { cache: headers.get("x-cache"), total: hours.reduce((sum, { total }) => sum + total, 0) };
}

async function post(project: BlueGreenProject, path: string, content: object): Promise<number> {
	const { body } = await request(project, path, "POST", content);
	return (body as { id: number }).id;
}

async function request(
	project: BlueGreenProject,
	path: string,
	method = "GET",
	content?: object,
): Promise<{ headers: Headers; body: unknown }> {
	const reply = await fetch(project.url + path, {
		method,
		signal: AbortSignal.timeout(10_000),
		...(content && {
			headers: { "content-type": "application/json" },
			body: JSON.stringify(content),
		}),
	});
	const text = await reply.text();
	if (!reply.ok) {
		throw new Error(`${method} ${path} answered ${reply.status}: ${text}`);
	}
	return { headers: reply.headers, body: JSON.parse(text) };
}
