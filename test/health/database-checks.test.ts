import assert from "node:assert/strict";
import { type Client, escapeIdentifier } from "pg";
import { connect, withClient } from "../../components/database/connection";
import { checkMigrations } from "../../components/health/applied-migrations";
import { checkConnections } from "../../components/health/connection-use";
import { migrate } from "../../components/migrations/run";
import { type Bench, file, openBench } from "../migrations/support";
import { type TestDatabase, testDatabase } from "../support/postgres";

const SESSION = { applicationName: "test" };

describe("the check of the connections", () => {
	const limits = { connectionsWarningPercent: 80, connectionsFailPercent: 95 };
	let database: TestDatabase;
	let clients: Client[];

	beforeEach(async () => {
		database = await testDatabase();
		clients = [];
		await limitTo(10);
	});

	afterEach(async () => {
		await Promise.all(clients.map((client) => client.end()));
		await database.drop();
	});

	function limitTo(connections: number): Promise<unknown> {
		const role = escapeIdentifier(database.owner.user);
		return withClient(database.superuser, SESSION, (client) =>
			client.query(`ALTER ROLE ${role} CONNECTION LIMIT ${connections}`),
		);
	}

	async function hold(count: number): Promise<void> {
		const more = Array.from({ length: count }, () => connect(database.owner, SESSION));
		clients.push(...(await Promise.all(more)));
	}

	const check = (since?: Date) =>
		checkConnections(database.superuser, { role: database.owner.user, ...(since && { since }) }, limits);

	it("counts those of the application's role and those of the server, and what is left", async () => {
		await hold(7);
		const { detail, ...result } = await check();
		assert.deepEqual(result, { check: "connections", status: "PASS", figure: 70, unit: "%" });
		assert.match(
			detail,
			/^\d+ of 269 of the server's connections are used, \d+ are left; 7 of 10 of those of test_\w+ are used, 3 are left$/,
		);
	});

	it("warns at 80 % and fails at 95 %, with what can be done", async () => {
		await hold(8);
		const warned = await check();
		assert.deepEqual([warned.status, warned.figure], ["WARNING", 80]);
		assert.match(warned.detail, /; lower poolSize, end what is idle, or raise maxConnections$/);
		await hold(2);
		const failed = await check();
		assert.deepEqual([failed.status, failed.figure], ["FAIL", 100]);
	});

	it("passes over those of a service that is about to end", async () => {
		await hold(8);
		const { rows } = await clients[0]!.query("SELECT clock_timestamp() AS now");
		await hold(2);
		const { status, figure } = await check(rows[0].now);
		assert.deepEqual([status, figure], ["PASS", 20]);
	});

	it("looks at the server's alone where the role has no limit", async () => {
		await limitTo(-1);
		await hold(1);
		assert.match((await check()).detail, /^\d+ of 269 of the server's connections are used, \d+ are left$/);
	});
});

describe("the check of the migrations", () => {
	let bench: Bench;

	beforeEach(async () => {
		bench = await openBench();
	});

	afterEach(() => bench.close());

	function write() {
		bench.write("1.0.0_create_cameras.sql", file("CREATE TABLE cameras (id int);", "DROP TABLE cameras;"));
		return bench.write("1.1.0_create_zones.sql", file("CREATE TABLE zones (id int);", "DROP TABLE zones;"));
	}

	async function applied() {
		const wanted = write();
		await migrate(bench.options(wanted));
		return Object.fromEntries(wanted.map(({ version, name, checksum }) => [version, { name, checksum }]));
	}

	it("passes when all of the release are applied, and none else", async () => {
		const expected = await applied();
		assert.deepEqual(await checkMigrations(bench.target.owner, expected), {
			check: "migrations",
			status: "PASS",
			figure: 2,
			unit: "migrations",
			detail: "all 2 of the release are applied, and no other",
		});
	});

	it("fails for each that is missing, of another file, or of another release", async () => {
		const expected = await applied();
		const { "1.0.0": first, "1.1.0": _second, ...none } = expected;
		const wanted = {
			...none,
			"1.0.0": { ...first!, checksum: "0".repeat(64) },
			"1.10.0": { name: "add_lanes", checksum: "1".repeat(64) },
		};
		assert.deepEqual(await checkMigrations(bench.target.owner, wanted), {
			check: "migrations",
			status: "FAIL",
			figure: 2,
			unit: "migrations",
			detail:
				"1.0.0 create_cameras was applied from another file than that of create_cameras; " +
				"1.1.0 create_zones is applied and not part of the release; 1.10.0 add_lanes is not applied: run the update again",
		});
	});

	it("fails for one that stopped half-way", async () => {
		const expected = await applied();
		await bench.inTarget("UPDATE deployment.schema_migrations SET state = 'running' WHERE version = '1.1.0'");
		const { status, figure, detail } = await checkMigrations(bench.target.owner, expected);
		assert.deepEqual([status, figure], ["FAIL", 1]);
		assert.equal(detail, "1.1.0 create_zones stopped half-way (running): run the update again");
	});

	it("fails for a database that was never migrated", async () => {
		const { status, detail } = await checkMigrations(bench.target.owner, {
			"1.0.0": { name: "create_cameras", checksum: "0".repeat(64) },
		});
		assert.deepEqual([status, detail], ["FAIL", "1.0.0 create_cameras is not applied: run the update again"]);
	});
});
