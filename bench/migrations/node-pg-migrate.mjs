import { text } from "node:stream/consumers";
import { runner } from "node-pg-migrate";

// Migrates once, and prints how long that took without the start of node.
const { directory, target } = JSON.parse(await text(process.stdin));
const { host, port, database, user, password } = target;
const started = performance.now();
const applied = await runner({
	databaseUrl: { host, port, database, user, password },
	dir: directory,
	direction: "up",
	migrationsTable: "pgmigrations",
	singleTransaction: false,
	log: () => {},
	logger: { debug() {}, info() {}, warn() {}, error: console.error },
});
console.log(JSON.stringify({ applied: applied.length, workMs: performance.now() - started }));
