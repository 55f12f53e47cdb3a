import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadMigrations } from "../../components/migrations/files";
import { writeNewMigration } from "../../components/migrations/new-file";
import { verifyMigrations } from "../../components/migrations/statements";

describe("a new migration file", () => {
	let directory: string;

	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "new-migration-"));
	});

	afterEach(() => rmSync(directory, { recursive: true, force: true }));

	const make = (name: string) => writeNewMigration(directory, name, loadMigrations(directory));

	it("has the next version and depends on the newest one", () => {
		assert.equal(make("create_cameras"), join(directory, "1.0.0_create_cameras.sql"));
		writeFileSync(
			join(directory, "1.9.3_add_zones.sql"),
			readFileSync(join(directory, "1.0.0_create_cameras.sql")),
		);
		assert.equal(make("add_lanes"), join(directory, "1.10.0_add_lanes.sql"));
		assert.deepEqual(
			loadMigrations(directory).map(({ version, dependsOn }) => [version, dependsOn]),
			[
				["1.0.0", []],
				["1.9.3", []],
				["1.10.0", ["add_zones"]],
			],
		);
	});

	it("is refused until its SQL is written", async () => {
		const path = make("create_cameras");
		await assert.rejects(verifyMigrations(loadMigrations(directory)), /1\.0\.0_create_cameras\.sql/);
		const written = readFileSync(path, "utf8")
			.replace("write what applies it", "CREATE TABLE cameras (id int PRIMARY KEY)")
			.replace("write what undoes it", "DROP TABLE cameras");
		writeFileSync(path, written);
		await verifyMigrations(loadMigrations(directory));
	});

	it("is not written for a name that is none, or is taken", () => {
		make("create_cameras");
		assert.throws(() => make("create_cameras"), /there is a migration create_cameras already/);
		for (const name of ["", "../x", "a b"]) {
			assert.throws(() => make(name), /allowed: letters, digits, _ and -/);
		}
	});
});
