import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	realpathSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { withClient } from "../../components/database/connection";
import {
	ensureServer,
	isServing,
	type LocalServerOptions,
	removeServer,
	stopServer,
	superuserConnection,
} from "../../components/database/local/server";
import { findFreePort, LOOPBACK } from "../../components/local/port";
import { commandLine } from "../../components/local/process-table";

const session = { applicationName: "test" };

describe("the local PostgreSQL server", () => {
	let options: LocalServerOptions;

	beforeEach(() => {
		const directory = join(mkdtempSync(join(tmpdir(), "counting-server-")), "stack");
		options = { directory, password: "first", maxConnections: 10, timeoutSeconds: 60 };
	});

	afterEach(async () => {
		await removeServer(options.directory, 30);
		rmSync(dirname(options.directory), { recursive: true, force: true });
	});

	function postmaster(): number {
		return Number(
			readFileSync(join(options.directory, "postgres", "data", "postmaster.pid"), "utf8").split("\n")[0],
		);
	}

	function query<T extends object>(port: number, sql: string): Promise<T[]> {
		return withClient(superuserConnection(port, options.password), session, async (client) => {
			return (await client.query<T>(sql)).rows;
		});
	}

	it("is created, prepared for replication and statistics, and reached over loopback with a password only", async () => {
		const { port, started } = await ensureServer(options);
		assert.equal(started, true);
		const [settings] = await query<Record<string, string>>(
			port,
			`SELECT current_setting('wal_level') AS wal_level, current_setting('listen_addresses') AS listen_addresses,
				current_setting('shared_preload_libraries') AS libraries, current_setting('max_connections') AS connections,
				current_setting('server_version_num')::int / 10000 AS version`,
		);
		assert.deepEqual(settings, {
			wal_level: "logical",
			listen_addresses: LOOPBACK,
			libraries: "pg_stat_statements",
			connections: "92",
			version: 18,
		});
		const rules = await query<{ auth_method: string }>(
			port,
			"SELECT DISTINCT auth_method FROM pg_hba_file_rules",
		);
		assert.deepEqual(rules, [{ auth_method: "scram-sha-256" }]);
		await assert.rejects(
			withClient(superuserConnection(port, "wrong"), session, async () => {}),
			/password authentication failed/,
		);
	});

	it("has a role that is no superuser where the deployment goes without one, from the first update on only", async () => {
		const { port } = await ensureServer({ ...options, withoutSuperuser: true });
		const own = { ...superuserConnection(port, options.password), user: "deployment" };
		const rights = await withClient(own, session, async (client) => {
			const { rows } = await client.query(
				`SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
					current_setting('createrole_self_grant') AS keeps, current_setting('log_min_error_statement') AS quoted
				FROM pg_roles WHERE rolname = current_user`,
			);
			return rows[0];
		});
		assert.deepEqual(rights, {
			rolsuper: false,
			rolcreaterole: true,
			rolcreatedb: true,
			rolreplication: true,
			rolbypassrls: false,
			keeps: "set, inherit",
			quoted: "panic",
		});
		await query(port, "DROP OWNED BY deployment; DROP ROLE deployment");
		await query(port, "CREATE DATABASE counting_blue_1");
		await assert.rejects(ensureServer({ ...options, withoutSuperuser: true }), {
			message:
				"withoutSuperuser can be set before a stack's first update only, and its server has counting_blue_1 already: " +
				"leave it out, or deploy a new stack with it",
		});
	});

	it("is left alone when it runs", async () => {
		const first = await ensureServer(options);
		const pid = postmaster();
		assert.deepEqual(await ensureServer(options), { ...first, started: false });
		assert.equal(postmaster(), pid);
		assert.equal(await isServing(options), true);
	});

	it("comes back on its port with its data after it was killed", async () => {
		const { port } = await ensureServer(options);
		await query(port, "CREATE TABLE kept AS SELECT 42 AS answer");
		process.kill(postmaster(), "SIGKILL");
		while ((await commandLine(postmaster()))?.includes("postgres")) {
			await new Promise((resolve) => setImmediate(resolve));
		}
		assert.equal(await isServing(options), false);
		assert.deepEqual(await ensureServer(options), { host: LOOPBACK, port, started: true });
		assert.deepEqual(await query(port, "SELECT answer FROM kept"), [{ answer: 42 }]);
	});

	it("takes a new superuser password, as after the loss of a state", async () => {
		const { port } = await ensureServer(options);
		options.password = "it's new";
		assert.deepEqual(await ensureServer(options), { host: LOOPBACK, port, started: true });
		assert.deepEqual(await query(port, "SELECT 1 AS one"), [{ one: 1 }]);
	});

	it("restarts with new settings", async () => {
		const { port } = await ensureServer(options);
		options.maxConnections = 15;
		assert.equal(await isServing(options), false);
		assert.equal((await ensureServer(options)).started, true);
		assert.deepEqual(await query(port, "SHOW max_connections"), [{ max_connections: "102" }]);
	});

	it("moves to another port when it is told to", async () => {
		await ensureServer(options);
		options.port = await findFreePort();
		assert.equal((await ensureServer(options)).port, options.port);
	});

	it("finishes a creation that was interrupted", async () => {
		await ensureServer(options);
		await stopServer(options.directory, 30);
		const data = join(options.directory, "postgres", "data");
		rmSync(join(data, "deployment.conf"));
		const { started, port } = await ensureServer(options);
		assert.equal(started, true);
		assert.deepEqual(await query(port, "SELECT 1 AS one"), [{ one: 1 }]);
	});

	it("goes on on its port when the new one is taken, and keeps the old one", async () => {
		const { port } = await ensureServer(options);
		const taken = await findFreePort();
		const other = await listen(taken);
		try {
			await assert.rejects(ensureServer({ ...options, port: taken }), /taken by another program/);
		} finally {
			await new Promise((resolve) => other.close(resolve));
		}
		assert.deepEqual(await query(port, "SELECT 1 AS one"), [{ one: 1 }]);
		assert.deepEqual(await ensureServer(options), { host: LOOPBACK, port, started: false });
	});

	it("does not take another process for itself that has its process id", async () => {
		const { port } = await ensureServer(options);
		await stopServer(options.directory, 30);
		const bystander = spawn("sleep", ["600"], { argv0: "edit postgres.md", stdio: "ignore" });
		try {
			const file = join(options.directory, "postgres", "data", "postmaster.pid");
			writeFileSync(file, `${bystander.pid}\n/nowhere\n0\n${port}\n`);
			assert.deepEqual(await ensureServer(options), { host: LOOPBACK, port, started: true });
			assert.equal(bystander.exitCode, null);
			assert.equal(bystander.signalCode, null);
		} finally {
			bystander.kill("SIGKILL");
		}
	});

	it("names the port that another program has taken and the mend", async () => {
		const { port } = await ensureServer(options);
		await stopServer(options.directory, 30);
		const other = await listen(port);
		try {
			await assert.rejects(ensureServer(options), (error: Error) => {
				assert.match(error.message, new RegExp(`^port ${port} for PostgreSQL is taken by another program`));
				assert.match(error.message, /set `databasePort` to another one$/);
				return true;
			});
		} finally {
			await new Promise((resolve) => other.close(resolve));
		}
	});

	it("leaves no process and no file behind when it is removed", async () => {
		await ensureServer(options);
		const pid = postmaster();
		const home = realpathSync(join(options.directory, "postgres"));
		await removeServer(options.directory, 30);
		assert.equal((await commandLine(pid))?.includes("postgres") ?? false, false);
		assert.deepEqual(readdirSync(dirname(options.directory)), []);
		assert.equal(existsSync(home), false);
	});

	it("keeps no password in its files, log or arguments", async () => {
		options.password = "a-very-particular-password";
		await ensureServer(options);
		const home = realpathSync(join(options.directory, "postgres"));
		const { port } = await ensureServer(options);
		await query(port, `CREATE ROLE someone LOGIN PASSWORD '${options.password}'`);
		const entries = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) =>
			entry.isFile(),
		);
		assert.ok(entries.some(({ name }) => name === "pgss_query_texts.stat"));
		for (const entry of entries) {
			const file = join(entry.parentPath, entry.name);
			// The log of changes is binary and holds verifiers only; it is large, and searched with the rest.
			assert.ok(!readFileSync(file).includes(options.password), file);
		}
		assert.ok(!(await commandLine(postmaster()))?.includes(options.password));
	});

	(process.getuid?.() === 0 ? it : it.skip)(
		"runs outside a folder that its account cannot enter (needs root: only root runs it as another user)",
		async () => {
			await ensureServer(options);
			const home = readlinkSync(join(options.directory, "postgres"));
			assert.ok(!home.startsWith(options.directory));
			await removeServer(options.directory, 30);
			assert.equal(existsSync(dirname(home)), false);
		},
	);
});

function listen(port: number): Promise<Server> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once("error", reject);
		server.listen(port, LOOPBACK, () => resolve(server));
	});
}
