import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Client } from "pg";
import {
	noteColor,
	noteDropped,
	noteFailed,
	noteLive,
	noteSwitched,
	noteSwitchStarted,
} from "../../components/catalog/blue-green";
import { closeAbandoned, closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { connect } from "../../components/database/connection";
import { liveAt } from "../../components/history/live-release";
import { recordedReleases } from "../../components/history/recorded-release";
import type { Node } from "../../components/replication/node";
import { type TestDatabase, testDatabase } from "../support/postgres";

const ENVIRONMENT = "staging";
const HEALTH: never[] = [];

function node(color: "blue" | "green", generation: number): Node {
	const database = `counting_${color}_${generation}`;
	const admin = {
		host: "db",
		port: 5432,
		database,
		user: "postgres",
		password: "",
		sslMode: "disable" as const,
	};
	return { base: "counting", color, generation, admin, owner: "owner", replication: admin };
}

const blue1 = node("blue", 1);
const green2 = node("green", 2);
const blue3 = node("blue", 3);

describe("when a release had the traffic", () => {
	let database: TestDatabase;
	let client: Client;

	beforeEach(async () => {
		database = await testDatabase();
		client = await connect(database.owner, { applicationName: "history-test" });
	});

	afterEach(async () => {
		await client.end();
		await database.drop();
	});

	/** A deployment as far as the switch, as the product writes it down. */
	async function switched(to: Node, release: string): Promise<number> {
		const id = await openDeployment(client, {
			...{ pipelineName: "counting", release, environment: ENVIRONMENT, triggeredBy: "lan", config: {} },
		});
		await noteColor(client, ENVIRONMENT, to, release, "deploying");
		await noteSwitchStarted(client, to);
		await noteSwitched(client, to);
		return id;
	}

	async function released(to: Node, release: string): Promise<number> {
		const id = await switched(to, release);
		await noteLive(client, to, { status: "completed", rollback: false, health: HEALTH });
		await closeDeployment(client, id, { status: "completed" });
		return id;
	}

	/** Whose bake fails. */
	async function withdrawn(to: Node, release: string, previous: Node): Promise<number> {
		const id = await switched(to, release);
		// Moments are told by milliseconds, and a bake takes longer than one.
		await client.query("SELECT pg_sleep(0.01)");
		await noteLive(client, previous, { status: "failed", rollback: true, health: HEALTH });
		await closeDeployment(client, id, { status: "rolled_back", error: "slow" });
		await noteFailed(client, ENVIRONMENT);
		return id;
	}

	/** Moments at which the audit log has it that a switch was over. */
	async function switches(): Promise<string[]> {
		const { rows } = await client.query(
			`SELECT to_json(min(recorded_at) AT TIME ZONE 'UTC') #>> '{}' || 'Z' AS at FROM audit_log
			WHERE kind = 'blue_green_deployments' AND event -> 'row' ->> 'switch_completed_at' IS NOT NULL
			GROUP BY event -> 'row' ->> 'switch_completed_at' ORDER BY min(id)`,
		);
		return rows.map(({ at }) => at);
	}

	async function spans(): Promise<Record<string, [string, string | null, string][]>> {
		const recorded = await recordedReleases(client);
		return Object.fromEntries(
			recorded
				.filter(({ traffic }) => traffic.length > 0)
				.map(({ deployment, release, traffic }) => [
					`${deployment} ${release}`,
					traffic.map(({ since, until, toldBy }) => [since, until, toldBy]),
				]),
		);
	}

	it("is from its switch on, and not from the end of its bake", async () => {
		await upgradeCatalog(client);
		await released(blue1, "1.3.0");
		const second = await switched(green2, "1.4.0");
		// Each switch is noted again at the end of the bake.
		const [first, , to] = await switches();
		assert.deepEqual(await spans(), {
			"1 1.3.0": [[first, to, "switch"]],
			"2 1.4.0": [[to, null, "switch"]],
		});
		await noteLive(client, green2, { status: "completed", rollback: false, health: HEALTH });
		await closeDeployment(client, second, { status: "completed" });
		await noteDropped(client, blue1, undefined);
		assert.deepEqual(await spans(), {
			"1 1.3.0": [[first, to, "switch"]],
			"2 1.4.0": [[to, null, "switch"]],
		});
	});

	it("is until the way back for one whose bake failed, which the one before had again from then on", async () => {
		await upgradeCatalog(client);
		await released(blue1, "1.3.0");
		await withdrawn(green2, "1.4.0", blue1);
		const [first, , to, back] = await switches();
		assert.deepEqual(await spans(), {
			"1 1.3.0": [
				[first, to, "switch"],
				[back, null, "switch"],
			],
			"2 1.4.0": [[to, back, "switch"]],
		});
		const live = liveAt(await recordedReleases(client), new Date(to ?? ""));
		assert.deepEqual([live?.release, live?.status], ["1.4.0", "rolled_back"]);
		// The next one is built in the place of the one that failed.
		await withdrawn(green2, "1.4.1", blue1);
		await released(blue3, "1.5.0");
		const releases = Object.keys(await spans()).sort();
		assert.deepEqual(releases, ["1 1.3.0", "2 1.4.0", "3 1.4.1", "4 1.5.0"]);
	});

	it("begins anew for a release that is put back, and not for an update of the live one", async () => {
		await upgradeCatalog(client);
		await released(blue1, "1.3.0");
		await released(green2, "1.4.0");
		await released(blue1, "1.3.0");
		await released(blue1, "1.3.0");
		const [first, , to, , back] = await switches();
		assert.deepEqual(await spans(), {
			"1 1.3.0": [[first, to, "switch"]],
			"2 1.4.0": [[to, back, "switch"]],
			"3 1.3.0": [[back, null, "switch"]],
		});
	});

	it("is known of an update that died after its switch", async () => {
		await upgradeCatalog(client);
		await released(blue1, "1.3.0");
		await switched(green2, "1.4.0");
		await closeAbandoned(client, ENVIRONMENT);
		await noteFailed(client, ENVIRONMENT);
		await released(green2, "1.4.0");
		const [first, , to] = await switches();
		assert.deepEqual(await spans(), {
			"1 1.3.0": [[first, to, "switch"]],
			"2 1.4.0": [[to, null, "switch"]],
		});
	});

	it("is from the end of its deployment on where that is older than the audit log", async () => {
		for (const name of ["001_create_catalog", "002_monitoring", "003_health_checks", "004_open_work"]) {
			await client.query(readFileSync(`components/catalog/schema/${name}.sql`, "utf8"));
		}
		await client.query(
			"CREATE TABLE catalog_versions (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz DEFAULT now())",
		);
		await client.query("INSERT INTO catalog_versions SELECT n, 'x' FROM generate_series(1, 4) AS n");
		await released(blue1, "1.2.0");
		await released(green2, "1.3.0");
		const ends = async () => (await recordedReleases(client)).map(({ endedAt }) => endedAt).reverse();
		const [one, two] = await ends();
		const older = {
			"1 1.2.0": [[one, two, "unrecorded switch"]],
			"2 1.3.0": [[two, null, "unrecorded switch"]],
		};
		assert.deepEqual(await spans(), older);
		await upgradeCatalog(client);
		assert.deepEqual(await spans(), older);
		await withdrawn(blue3, "1.4.0", green2);
		const [, to, back] = await switches();
		assert.deepEqual(await spans(), {
			"1 1.2.0": [[one, two, "unrecorded switch"]],
			"2 1.3.0": [
				[two, to, "unrecorded switch"],
				[back, null, "switch"],
			],
			"3 1.4.0": [[to, back, "switch"]],
		});
	});

	it("is from the end of its deployment on where the catalog could not be told of the switch", async () => {
		await upgradeCatalog(client);
		await released(blue1, "1.3.0");
		const id = await openDeployment(client, {
			...{
				pipelineName: "counting",
				release: "1.4.0",
				environment: ENVIRONMENT,
				triggeredBy: "lan",
				config: {},
			},
		});
		await closeDeployment(client, id, { status: "completed" });
		const [first] = await switches();
		const end = (await recordedReleases(client))[0]?.endedAt;
		assert.deepEqual(await spans(), {
			"1 1.3.0": [[first, end, "switch"]],
			"2 1.4.0": [[end, null, "unrecorded switch"]],
		});
	});
});
