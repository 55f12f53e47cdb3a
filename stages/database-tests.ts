import { join } from "node:path";
import { type Client, DatabaseError } from "pg";
import { type Connection, withClient } from "../components/database/connection";
import { compareVersions } from "../components/migrations/migration";
import { type Report, runProgram } from "./report";
import { readSqlTests, runSqlTests } from "./sql-tests";
import { readSurroundings } from "./surroundings";

const SESSION = { applicationName: "stage-database-tests" };
const FENCED = "25006";

/** The tests of the schema in `database/`, each file of it for the schemas from its version on. */
async function testDatabase(owner: Connection, report: Report): Promise<void> {
	await withClient(owner, SESSION, async (client) => {
		const schema = await schemaVersion(client);
		for (const tests of readSqlTests(join(__dirname, "database"))) {
			if (compareVersions(tests.version, schema) > 0) {
				report.skip(tests.path, `the schema is ${schema}`);
				continue;
			}
			for (const { passed, name, detail } of await runSqlTests(client, tests)) {
				if (passed) {
					report.pass(name);
				} else {
					report.fail(name, detail);
				}
			}
		}
	});
}

async function schemaVersion(client: Client): Promise<string> {
	const { rows } = await client.query<{ version: string }>("SELECT version FROM deployment.schema_version");
	const version = rows[0]?.version;
	if (version === undefined) {
		throw new Error(
			"the database has no schema yet: declare this stage with when: after-migrations, or later",
		);
	}
	return version;
}

/** What the service's own role may do, which differs from what the owner may. */
async function testApplication(
	application: Connection,
	writes: "served" | "refused",
	report: Report,
): Promise<void> {
	await withClient(application, SESSION, async (client) => {
		await report.check("the application can read", () => client.query("SELECT FROM cameras LIMIT 1"));
		const wanted = writes === "refused" ? FENCED : undefined;
		const name = writes === "refused" ? "cannot write before its colour has the traffic" : "can write";
		await report.check(`the application ${name}`, async () => {
			const found = await codeOf(client, "INSERT INTO cameras (id, camera_name) VALUES (-1, 'north gate')");
			if (found !== wanted) {
				throw new Error(`found ${found ?? "no error"}, expected ${wanted ?? "no error"}`);
			}
		});
		await report.check("the application cannot change the schema", async () => {
			const found = await codeOf(client, "CREATE TABLE public.made_by_application (id int)");
			if (found !== "42501") {
				throw new Error(`found ${found ?? "no error"}, expected 42501`);
			}
		});
	});
}

/** The SQLSTATE that a statement fails with; it is rolled back in any case. */
async function codeOf(client: Client, statement: string): Promise<string | undefined> {
	await client.query("BEGIN READ WRITE");
	try {
		await client.query(statement);
		return undefined;
	} catch (error) {
		if (error instanceof DatabaseError) {
			return error.code;
		}
		throw error;
	} finally {
		await client.query("ROLLBACK");
	}
}

runProgram(async (report) => {
	const { owner, application, writes } = readSurroundings(process.env);
	await testDatabase(owner, report);
	await testApplication(application, writes, report);
});
