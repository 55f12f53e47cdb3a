import { readdirSync } from "node:fs";
import { environmentDefaults } from "../../components/settings/environments";
import { DeployedProject, sections } from "../support/deployed-project";
import { type CommandResult, finished } from "../support/project";
import { declareStages, lastStages, ownStage } from "../support/recorded-stages";
import { shared } from "./shared";

/** A development stack after six updates: the first, one that failed, then raised, put back, raised, and put back in part. */
export interface Development {
	project: DeployedProject;
	first: { stages: string[] };
	failed: { result: CommandResult; stages: string[]; liveRelease: string; applied: string[] };
	putBack: { result: CommandResult; backups: string[]; columns: string[] };
	/** Of the camera whose column was dropped and restored. */
	zones: { raisedAgain: unknown; restored: unknown };
}

/** The ids of the deployments in the catalog. */
export const FIRST = 1;
export const FAILED = 2;
export const PUT_BACK = 4;
export const PUT_BACK_IN_PART = 6;

export const FIRST_RELEASE = "1.4.0";
/** Its newest migration is 1.5.1. */
export const NEW_RELEASE = "1.6.0";
/** One with the same migrations. */
export const RELEASE_BETWEEN = "1.5.1";

/** What a build system tells of the build that runs the first update. */
export const BUILD = {
	GITHUB_SHA: "3f0c1d5a9b7e2c4d6f8091a2b3c4d5e6f7081920",
	GITHUB_REF_NAME: "feature/zones",
	GITHUB_HEAD_REF: "",
	GITHUB_ACTOR: "minh",
};

export const useDevelopment = shared<Development>(
	async () => {
		const project = new DeployedProject("embedded");
		try {
			return await play(project);
		} catch (error) {
			await project.discard();
			throw error;
		}
	},
	({ project }) => project.discard(),
);

async function play(project: DeployedProject): Promise<Development> {
	project.bringMigration("1.4.0_add_ingested_batches.sql");
	project.configure({ release: FIRST_RELEASE });
	declareStages(project, [...environmentDefaults.development.stages]);
	await project.init();
	await mustRun(project, BUILD);
	const first = { stages: await lastStages(project) };

	project.addTable("1.5.0", "zones");
	project.migration(
		"1.5.1_add_camera_zone.sql",
		sections({
			header: ["-- depends: add_zones"],
			up: "ALTER TABLE cameras ADD COLUMN zone int;",
			down: "ALTER TABLE cameras DROP COLUMN zone;",
		}),
	);
	project.configure({ release: NEW_RELEASE });
	declareStages(project, [
		ownStage("Smoke Tests", 'console.log("smoke"); process.exit(3)'),
		ownStage("Later Tests", "0"),
	]);
	const result = await project.up();
	const failed = {
		result,
		stages: await lastStages(project),
		liveRelease: await liveRelease(project),
		applied: await project.appliedInTarget(),
	};

	declareStages(project, []);
	await project.mustUp();
	await project.database("INSERT INTO cameras (id, camera_name, zone) VALUES (1001, 'north gate', 7)");
	const back = await finished(project.start(["--stack", project.stack], {}, "rollback.ts"));
	const putBack = { result: back, backups: backupsOf(project), columns: await cameraColumns(project) };

	project.configure({ release: NEW_RELEASE });
	await project.mustUp();
	const raisedAgain = await zone(project);
	for (const file of putBack.backups) {
		await project.restore(file);
	}
	const restored = await zone(project);

	project.configure({ release: RELEASE_BETWEEN });
	await project.mustUp();
	return { project, first, failed, putBack, zones: { raisedAgain, restored } };
}

async function mustRun(project: DeployedProject, environment: NodeJS.ProcessEnv): Promise<void> {
	const args = ["up", "--yes", "--skip-preview", "-s", project.stack];
	const { code, output } = await finished(project.start(args, environment));
	if (code !== 0) {
		throw new Error(`the update ended with ${code}:\n${output}`);
	}
}

function backupsOf(project: DeployedProject): string[] {
	return readdirSync(project.local("backups")).map((file) => project.local("backups", file));
}

async function cameraColumns(project: DeployedProject): Promise<string[]> {
	const rows = await project.database<{ name: string }>(
		"SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'cameras' ORDER BY ordinal_position",
	);
	return rows.map(({ name }) => name);
}

async function zone(project: DeployedProject): Promise<unknown> {
	const [camera] = await project.database<{ zone: number | null }>(
		"SELECT zone FROM cameras WHERE id = 1001",
	);
	return camera?.zone;
}

async function liveRelease(project: DeployedProject): Promise<string> {
	const reply = await fetch(`${project.url}/version`, { signal: AbortSignal.timeout(5000) });
	return ((await reply.json()) as { release: string }).release;
}
