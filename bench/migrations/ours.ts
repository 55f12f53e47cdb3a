import { text } from "node:stream/consumers";
import { openDeployment } from "../../components/catalog/deployments";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { type Connection, withClient } from "../../components/database/connection";
import { loadMigrations } from "../../components/migrations/files";
import { migrate } from "../../components/migrations/run";

interface Work {
	directory: string;
	target: Connection;
	catalog: Connection;
}

const settings = {
	lockTimeoutMs: 2000,
	lockRetries: 10,
	statementTimeoutMs: 300_000,
	advisoryLockTimeoutMs: 60_000,
	allowOutOfOrder: false,
};

/** Migrates once, and prints how long that took: reading the files, and the rest. */
async function main(): Promise<void> {
	const { directory, target, catalog }: Work = JSON.parse(await text(process.stdin));
	const deploymentId = await withClient(catalog, { applicationName: "bench" }, async (client) => {
		await upgradeCatalog(client);
		return openDeployment(client, {
			pipelineName: "bench",
			release: "1.0.0",
			environment: "development",
			triggeredBy: "bench",
			config: {},
		});
	});
	const started = performance.now();
	const wanted = loadMigrations(directory);
	const loaded = performance.now();
	const { applied } = await migrate({
		target,
		catalog,
		targetName: target.database,
		wanted,
		deploymentId,
		appliedBy: "bench",
		settings,
		backupDirectory: "/nonexistent",
		log: () => {},
	});
	const ended = performance.now();
	console.log(JSON.stringify({ applied: applied.length, loadMs: loaded - started, workMs: ended - loaded }));
}

main();
