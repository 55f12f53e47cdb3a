import assert from "node:assert/strict";
import type { Client } from "pg";
import { connect } from "../../../components/database/connection";
import { colorDatabase } from "../../../components/replication/environment";
import { otherColor } from "../../../components/replication/node";
import { afterRelease, BlueGreenProject, type Standing } from "../../support/blue-green-project";
import { BASE_VERSIONS, sections, sharedStack } from "../../support/deployed-project";
import { assertClearFailure } from "../../support/outcome";
import { query } from "../../support/project";
import { assertUnharmed, underTraffic } from "../../support/traffic";
import { until } from "../../support/waiting";

const FILE = "1.4.0_change.sql";

/** Each test begins and ends with release 1.3.0 live. */
describe("a blue-green release that the live side holds up", () => {
	const stack = sharedStack(() => new BlueGreenProject("embedded"));

	it("ends with PostgreSQL's own words when rows of the live side do not fit its schema", async () => {
		const project = stack();
		const before = await project.current();
		project.migration(
			FILE,
			sections({
				up: "CREATE UNIQUE INDEX one_of_a_name ON cameras (camera_name);",
				down: "DROP INDEX one_of_a_name;",
			}),
		);
		project.configure({ release: "1.4.0" });
		let duplicatedAt = 0;

		const traffic = await underTraffic(project, async () => {
			const update = project.up();
			await untilMigrated(project, before);
			await project.onColor(
				before,
				before.live,
				"INSERT INTO cameras (camera_name) VALUES ('twin'), ('twin')",
			);
			duplicatedAt = performance.now();
			return update;
		});

		const { result: failed } = traffic;
		assert.ok(performance.now() - duplicatedAt < 20_000);
		assertClearFailure(failed);
		assert.match(failed.output, /the subscription \w+ stopped on an error/);
		assert.match(
			failed.output,
			/conflict detected on relation "public\.cameras".*Key already exists in unique index "one_of_a_name"/,
		);
		await assertUnharmed(project, traffic);
		await project.assertUntouched(before);

		project.configure({ release: "1.3.0" });
		await project.mustUp();
		project.removeMigration(FILE);
		await project.assertColors(before, "idle");
		await project.onColor(before, before.live, "DELETE FROM cameras WHERE camera_name = 'twin'");
	});

	it("waits for long transactions, names them, and ends them when it is told to; readers are left alone", async () => {
		const project = stack();
		const before = await project.current();
		project.migration(
			FILE,
			sections({ up: "CREATE TABLE zones (id int PRIMARY KEY);", down: "DROP TABLE zones;" }),
		);
		project.configure({ release: "1.4.0", longTransactionSeconds: 1 });
		const reader = await openReader(project);
		const writer = await openWriter(project);
		try {
			const traffic = await underTraffic(project, async () => {
				const update = project.up();
				// Later than the copy's own wait, so that it is in the way of the cutover alone.
				await untilMigrated(project, before);
				await writer.query("BEGIN");
				await writer.query("INSERT INTO cameras (camera_name) VALUES ('imported')");
				return update;
			});
			assertClearFailure(traffic.result);
			assert.match(
				traffic.result.output,
				/cutover step "guard": the transaction of process \d+ \(slow import, role counting_staging_\w+_app\), open for \d+ s, on \w+-\d+ did not end within 1 s: end it, raise longTransactionSeconds, or set endLongTransactions/,
			);
			await assertUnharmed(project, traffic);
			await project.assertUntouched(before);
			await writer.query("SELECT 1");

			project.configure({ endLongTransactions: true });
			const second = await underTraffic(project, () => project.up());
			assert.equal(second.result.code, 0, second.result.output);
			assert.match(second.result.output, /ending the transaction of process \d+ \(slow import, role/);
			await assertUnharmed(project, second);
			await assert.rejects(writer.query("COMMIT"));
			// The same snapshot as at the beginning, in the same session.
			assert.deepEqual((await reader.query("SELECT count(*)::int AS n FROM cameras")).rows, [{ n: 0 }]);
		} finally {
			await writer.end().catch(() => {});
			await reader.end();
		}
		const after = afterRelease(before, "1.4.0", [...BASE_VERSIONS, "1.4.0"]);
		await project.assertColors(after);
		// What the ended transaction had written is nowhere.
		assert.deepEqual(
			await project.onColor(after, after.live, "SELECT id FROM cameras WHERE camera_name = 'imported'"),
			[],
		);
		project.configure({
			release: "1.3.0",
			longTransactionSeconds: undefined,
			endLongTransactions: undefined,
		});
		await project.mustUp();
	});

	/** A role of its own with a snapshot that it keeps, which sees no camera. */
	async function openReader(project: BlueGreenProject): Promise<Client> {
		const open = await project.openDatabase();
		await query(open, "DELETE FROM counting_results; DELETE FROM cameras");
		await query(open, "CREATE ROLE observer LOGIN PASSWORD 'observer' IN ROLE pg_read_all_data");
		await query(open, `GRANT CONNECT ON DATABASE ${open.database} TO observer`);
		const reader = await connect(
			{ ...open, user: "observer", password: "observer" },
			{ applicationName: "report", statementTimeoutMs: 0 },
		);
		await reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
		await reader.query("SELECT count(*) FROM cameras");
		return reader;
	}

	/** A session of the application's role. */
	async function openWriter(project: BlueGreenProject): Promise<Client> {
		const outputs = await project.outputs();
		const writer = await connect(
			{
				host: outputs.databaseHost,
				port: outputs.databasePort,
				database: outputs.databaseName,
				user: outputs.databaseUser,
				password: outputs.databasePassword,
				sslMode: "disable",
			},
			{ applicationName: "slow import" },
		);
		// It is to be ended by the other side.
		writer.on("error", () => {});
		return writer;
	}
});

/** Waits until the new colour has the release's own migration. */
async function untilMigrated(project: BlueGreenProject, { live, nextGeneration }: Standing): Promise<void> {
	const color = otherColor(live);
	const admin = await project.superuser();
	await until("the new colour is migrated", async () => {
		const database = colorDatabase(project.base, color, nextGeneration);
		const made = await query(admin, "SELECT FROM pg_database WHERE datname = $1", [database]);
		if (made.length === 0) {
			return undefined;
		}
		const applied = await query<{ n: number }>(
			{ ...admin, database },
			`SELECT count(*)::int AS n FROM deployment.schema_migrations WHERE version = '1.4.0' AND state = 'applied'`,
		).catch(() => []);
		return applied[0]?.n === 1 || undefined;
	});
}
