import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { watchingArguments } from "../support/arguments-watch";
import { DeployedProject, sections } from "../support/deployed-project";
import { query } from "../support/project";
import { containing, everyRow, generatedPasswords } from "../support/secrets";

/** Nobody listens there, which no update may mind. */
const NOTIFY_URL = `http://127.0.0.1:1/${randomBytes(12).toString("hex")}`;
const NOTIFY_SECRET = randomBytes(32).toString("base64");

describe("secrets", () => {
	let project: DeployedProject;

	before(() => {
		project = new DeployedProject("embedded");
	});

	after(() => project.discard());

	it("are in no file, no record, no output and no argument, whatever has happened", async () => {
		const told: string[] = [];
		const run = async (wantedCode: number, ...args: string[]) => {
			const { code, output } = await project.pulumi(...args, "-s", "dev");
			told.push(output);
			assert.equal(code === 0, wantedCode === 0, output);
		};
		await project.init();
		await project.must("config", "set", "--secret", "notifyUrl", NOTIFY_URL, "-s", "dev");
		await project.must("config", "set", "--secret", "notifySecret", NOTIFY_SECRET, "-s", "dev");
		const seenArguments = await watchingArguments(async () => {
			await run(0, "up", "--yes", "--skip-preview");
			await project.database("INSERT INTO cameras (camera_name) VALUES ('gate')");
			project.migration(
				"1.4.0_add_zone.sql",
				sections({
					up: "ALTER TABLE cameras ADD COLUMN zone int;",
					down: "ALTER TABLE cameras DROP COLUMN zone;",
				}),
			);
			project.configure({ release: "1.4.0" });
			await run(0, "up", "--yes", "--diff");
			project.migration("1.5.0_fail.sql", sections({ up: "SELECT 1 / 0;", down: "SELECT 1;" }));
			project.configure({ release: "1.5.0" });
			await run(1, "up", "--yes", "--skip-preview");
			await project.database("UPDATE cameras SET zone = 7");
			project.configure({ release: "1.3.0" });
			await run(0, "up", "--yes", "--skip-preview");
			await run(0, "stack", "output", "--json");
			await run(0, "stack", "history");
			await run(0, "stack", "export");
			await run(0, "refresh", "--yes", "--skip-preview");
		});
		assert.equal(readdirSync(project.path(".local", "dev", "backups")).length, 1);

		const passwords = await generatedPasswords(project);
		assert.equal(passwords.length, 8);
		const passphrase = readFileSync(project.path(".local", "passphrase"), "utf8");
		const secrets = [...passwords, passphrase, NOTIFY_URL, NOTIFY_SECRET];
		assert.deepEqual(containing([readFileSync(project.stackFile, "utf8")], secrets), []);
		assert.ok(
			told.some((output) => output.includes("nobody was notified that deployment 1 ended as completed")),
		);
		assert.deepEqual(
			filesWith(project.path(".local"), secrets).map((file) => file.slice(project.directory.length + 1)),
			[join(".local", "passphrase")],
		);
		assert.deepEqual(filesOthersCanRead(project), []);
		assert.deepEqual(containing(told, secrets), []);
		assert.deepEqual(containing(seenArguments, secrets), []);
		assert.ok(seenArguments.some((line) => line.includes(project.directory)));
		const databases = ["counting_dev_catalog", "counting_dev", "postgres"];
		// The server's record of statements, read like any other view.
		for (const name of databases) {
			const connection = await project.superuser(name);
			await query(connection, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
		}
		const rows = (await Promise.all(databases.map((name) => everyRow(project, name)))).flat();
		assert.ok(rows.some((row) => row.includes("add_performance_indexes")));
		assert.ok(rows.some((row) => row.includes("pg_try_advisory_lock")));
		assert.deepEqual(containing(rows, secrets), []);
	});
});

function filesBelow(folder: string): string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name));
}

function filesWith(folder: string, secrets: string[]): string[] {
	return filesBelow(folder).filter((file) => {
		const content = readFileSync(file);
		return secrets.some((secret) => content.includes(secret));
	});
}

/** Files besides PostgreSQL's own, whose folder nobody else can enter, that say more than where something listens. */
function filesOthersCanRead(project: DeployedProject): string[] {
	const harmless = ["server.json"];
	return filesBelow(project.path(".local"))
		.filter((file) => !file.startsWith(project.path(".local", "dev", "postgres")))
		.filter((file) => (statSync(file).mode & 0o077) !== 0 && !file.endsWith(".pid"))
		.map((file) => file.slice(project.path(".local", "dev").length + 1))
		.filter((file) => !harmless.includes(file));
}
