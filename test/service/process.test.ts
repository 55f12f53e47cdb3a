import assert from "node:assert/strict";
import { connect as connectSocket } from "node:net";
import { type Connection, connect, withClient } from "../../components/database/connection";
import { type TestDatabase, testDatabase, testServer } from "../support/postgres";
import { Program } from "./program";
import { createSchema, RunningService, serviceEnvironment } from "./running-service";

describe("the service process", () => {
	let database: TestDatabase;
	let service: RunningService;

	before(async () => {
		database = await testDatabase();
		await createSchema(database.owner, "1.3.0");
	});

	afterEach(async () => {
		await service.stop();
	});

	after(async () => {
		await database.drop();
	});

	function execute(connection: Connection, sql: string, values: unknown[] = []) {
		return withClient(connection, { applicationName: "test" }, (client) => client.query(sql, values));
	}

	it("answers 503 while the database is away and serves again when it is back", async () => {
		service = await RunningService.start(database.owner);
		assert.equal((await service.call("GET", "/cameras")).status, 200);
		const admin = await testServer();
		const { database: name } = database.owner;
		await execute(admin, `ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
		await execute(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [name]);
		const away = await service.call("GET", "/cameras");
		assert.equal(away.status, 503);
		assert.equal(away.headers.get("retry-after"), "1");
		assert.equal((away.body as { error: string }).error, "database_unavailable");
		assert.equal((await service.call("GET", "/readyz")).status, 503);
		assert.equal((await service.call("GET", "/healthz")).status, 200);
		await execute(admin, `ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
		assert.equal((await service.call("GET", "/cameras")).status, 200);
		assert.equal((await service.call("GET", "/readyz")).status, 200);
	});

	it("finishes what is in flight on SIGTERM, closes the connection and ends with 0", async () => {
		service = await RunningService.start(database.owner);
		const blocker = await connect(database.owner, { applicationName: "test" });
		await blocker.query("BEGIN; LOCK TABLE cameras IN ACCESS EXCLUSIVE MODE");
		const slow = service.call("POST", "/cameras", { cameraName: "Last one" });
		await waitForLock(database.owner);
		const ended = service.stop();
		await service.program.waitFor(/"msg":"stopping"/);
		await refusesConnections(service.url);
		await blocker.query("COMMIT");
		await blocker.end();
		const { status, headers } = await slow;
		assert.equal(status, 201);
		assert.equal(headers.get("connection"), "close");
		assert.equal(await ended, 0);
		assert.match(service.program.output, /"msg":"stopped"/);
	});

	it("gives a statement up at its timeout, while /readyz still answers with a busy pool", async () => {
		service = await RunningService.start(database.owner, { POOL_SIZE: "1", STATEMENT_TIMEOUT_MS: "700" });
		const blocker = await connect(database.owner, { applicationName: "test" });
		await blocker.query("BEGIN; LOCK TABLE cameras IN ACCESS EXCLUSIVE MODE");
		const slow = service.call("GET", "/cameras");
		await waitForLock(database.owner);
		assert.equal((await service.call("GET", "/readyz")).status, 200);
		const { status, body } = await slow;
		assert.equal(status, 503);
		assert.match((body as { message: string }).message, /took longer than its timeout/);
		await blocker.query("ROLLBACK");
		await blocker.end();
	});

	it("tells the SQLSTATE and logs parameters in debug mode only, and never the password", async () => {
		const camera = { cameraName: "Gate 77", metadata: { key: "\0" } };
		for (const debugMode of [true, false]) {
			service = await RunningService.start(database.owner, {
				DEBUG_MODE: String(debugMode),
				LOG_LEVEL: "debug",
			});
			const { body } = await service.call("POST", "/cameras", camera);
			assert.equal((body as { sqlState?: string }).sqlState, debugMode ? "22P05" : undefined);
			await service.stop();
			assert.equal(service.program.output.includes("Gate 77"), debugMode);
			assert.ok(!service.program.output.includes(database.owner.password));
		}
	});

	it("names the port that is taken and ends with 1", async () => {
		service = await RunningService.start(database.owner);
		const { port } = new URL(service.url);
		const second = Program.start("service/main.ts", [], serviceEnvironment(database.owner, { PORT: port }));
		assert.equal(await second.exitCode(), 1);
		assert.equal(
			second.output,
			`port ${port} on 127.0.0.1 is taken by another program: end that program or set PORT to a free one\n`,
		);
	});
});

/** Waits until nothing listens at `url`. */
async function refusesConnections(url: string): Promise<void> {
	const { hostname, port } = new URL(url);
	for (;;) {
		const socket = connectSocket(Number(port), hostname);
		const outcome = await new Promise<string>((resolve) => {
			socket.once("connect", () => resolve("connected"));
			socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
		});
		socket.destroy();
		if (outcome !== "connected") {
			assert.equal(outcome, "ECONNREFUSED");
			return;
		}
	}
}

/** Waits until a statement of the service waits for a lock. */
async function waitForLock(owner: Connection): Promise<void> {
	await withClient(owner, { applicationName: "test" }, async (client) => {
		const waiting = `SELECT count(*)::INTEGER AS count FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`;
		const deadline = process.hrtime.bigint() + 20_000_000_000n;
		while ((await client.query<{ count: number }>(waiting)).rows[0]?.count === 0) {
			assert.ok(process.hrtime.bigint() < deadline, "no statement of the service waits for the lock");
		}
	});
}
