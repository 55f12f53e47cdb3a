import { type Connection, withClient } from "../components/database/connection";
import { loadMigrations } from "../components/migrations/files";
import type { Migration } from "../components/migrations/migration";
import { wantedFor } from "../components/migrations/order";
import { runningIn } from "../components/migrations/seed-data";
import { type Report, runProgram } from "./report";
import { auditPackages } from "./security/packages";
import { excessRights } from "./security/rights";
import { dangerousSql, lockingSql } from "./security/sql";
import { readSurroundings, type Surroundings } from "./surroundings";

const SESSION = { applicationName: "stage-security" };

runProgram(async (report) => {
	const surroundings = readSurroundings(process.env);
	await testSql(surroundings, report);
	await testRights(surroundings, report);
	await testPackages(report);
});

async function testSql(surroundings: Surroundings, report: Report): Promise<void> {
	const { settings, environment, strategy, release, owner } = surroundings;
	const files = loadMigrations(settings.migrationsDirectory);
	const migrations = runningIn(environment, wantedFor(release, files));
	await tell(report, "no migration widens rights", dangerousSql(migrations));
	// On a colour without traffic nobody waits for a lock.
	if (strategy === "in-place") {
		const newest = await newestVersions(owner);
		await testLocks(
			migrations.filter(({ version }) => newest.has(version)),
			report,
		);
	}
}

/** Those that the last deployment which migrated has applied: older ones can be mended no more. */
async function newestVersions(owner: Connection): Promise<Set<string>> {
	const { rows } = await withClient(owner, SESSION, (client) =>
		client.query<{ version: string }>(
			`SELECT version FROM deployment.schema_migrations
			WHERE deployment_id = (SELECT max(deployment_id) FROM deployment.schema_migrations)`,
		),
	);
	return new Set(rows.map(({ version }) => version));
}

async function testLocks(migrations: readonly Migration[], report: Report): Promise<void> {
	const name = "no new migration keeps the service waiting";
	const found = await lockingSql(migrations);
	if (found === undefined) {
		report.skip(name, "squawk has no program for this platform");
	} else {
		await tell(report, name, found);
	}
}

async function testRights({ owner, application }: Surroundings, report: Report): Promise<void> {
	const found = withClient(owner, SESSION, (client) => excessRights(client, application.user));
	await tell(report, "no role holds more than is declared", found);
}

async function testPackages(report: Report): Promise<void> {
	const name = "no package has a known weakness of high or critical severity";
	const { findings, unknown } = await auditPackages(process.cwd());
	if (unknown !== undefined) {
		report.skip(name, unknown);
	} else {
		await tell(report, name, findings);
	}
}

async function tell(
	report: Report,
	name: string,
	findings: readonly string[] | Promise<readonly string[]>,
): Promise<void> {
	await report.check(name, async () => {
		const found = await findings;
		if (found.length > 0) {
			throw new Error(found.join("\n"));
		}
	});
}
