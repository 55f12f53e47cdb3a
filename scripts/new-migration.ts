import { loadMigrations } from "../components/migrations/files";
import { writeNewMigration } from "../components/migrations/new-file";
import { run } from "./run";

const DIRECTORY = "migrations";

// `npm run new-migration -- add_zones`: a file with what every migration has.
run(async ([name, ...more]) => {
	if (name === undefined || more.length > 0) {
		console.error("usage: npm run new-migration -- <name>");
		return 2;
	}
	console.log(`written: ${writeNewMigration(DIRECTORY, name, loadMigrations(DIRECTORY))}`);
	console.log("write its two sections, then raise the release to its version and preview");
	return 0;
});
