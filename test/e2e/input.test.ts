import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { BASE_VERSIONS, DeployedProject, deployedStack, sections } from "../support/deployed-project";
import { itUnless, mountObstacle, mountSmallDisk, readOnlyObstacle, withReadOnly } from "../support/mounts";
import { assertClearFailure } from "../support/outcome";
import { type CommandResult, finished } from "../support/project";

describe("mistakes before the first update", () => {
	let project: DeployedProject;

	beforeEach(() => {
		project = new DeployedProject("embedded");
	});

	afterEach(() => project.discard());

	it("in the stack file are told all at once, and nothing is made", async () => {
		await project.init();
		project.configure({
			poolsize: 5,
			release: "1.3",
			logLevel: "loud",
			monitoring: "yes",
			databasePort: 80,
			environment: undefined,
		});

		const refused = await project.up();

		assertClearFailure(refused);
		assert.match(refused.output, /the stack config has 6 mistakes; nothing was changed/);
		for (const mistake of [
			/camera-counting:poolsize: unknown key; did you mean poolSize\?/,
			/camera-counting:release: found "1\.3"; allowed: a version of three numbers/,
			/camera-counting:logLevel: found "loud"; allowed: one of debug, info, warn, error/,
			/camera-counting:monitoring: found "yes"; allowed: true or false/,
			/camera-counting:databasePort: found "80"; allowed: a whole number from 1024 to 65535/,
			/camera-counting:environment: found nothing; allowed: one of development, staging, production/,
		]) {
			assert.match(refused.output, mistake);
		}
		await assertNothingMade(project);

		project.configure({
			poolsize: undefined,
			release: "1.3.0",
			logLevel: "debug",
			monitoring: false,
			alerting: true,
			databasePort: undefined,
			environment: "production",
			sslMode: "require",
			poolSize: 30,
		});
		const contradictory = await project.up();
		assertClearFailure(contradictory);
		for (const mistake of [
			/poolSize: found 30 with maxConnections 20; allowed: at most 8/,
			/debugMode: found true with environment production/,
			/alerting: found true with monitoring false/,
			/sslMode: found require with platform local; allowed: disable/,
		]) {
			assert.match(contradictory.output, mistake);
		}
		await assertNothingMade(project);
	});

	it("in migration files are told all at once with file and line, and nothing is made", async () => {
		await project.init();
		const good = { up: "SELECT 1;", down: "SELECT 1;" };
		const broken = [
			["1.4.0_marked.sql", `\uFEFF${sections(good)}`],
			["1.4.1_from_elsewhere.sql", sections(good).replace("SELECT 1;\n", "SELECT 1;\r\n")],
			["1.4.2_one_way.sql", sections({ up: "SELECT 1;" })],
			["1.4.6_one.sql", sections(good)],
			["1.4.6_other.sql", sections(good)],
			["1.4.7_one.sql", sections(good)],
		] as const;
		for (const [file, content] of broken) {
			project.migration(file, content);
		}

		const refused = await project.up();

		assertClearFailure(refused);
		assert.match(refused.output, /problems in the migration files, nothing was run/);
		for (const problem of [
			/migrations\/1\.4\.0_marked\.sql:1: the file begins with a byte-order mark/,
			/migrations\/1\.4\.1_from_elsewhere\.sql:4: the line ends with CRLF/,
			/migrations\/1\.4\.2_one_way\.sql:5: there is no down section/,
			/migrations\/1\.4\.6_other\.sql:1: .*version 1\.4\.6/,
			/migrations\/1\.4\.7_one\.sql:1: .*name one/,
		]) {
			assert.match(refused.output, problem);
		}
		await assertNothingMade(project);

		for (const [file] of broken) {
			project.removeMigration(file);
		}
		const depending = (name: string) => sections({ ...good, header: [`-- depends: ${name}`] });
		project.migration("1.4.3_lonely.sql", depending("nobody"));
		project.migration("1.4.4_hen.sql", depending("egg"));
		project.migration("1.4.5_egg.sql", depending("hen"));

		const unordered = await project.up();

		assertClearFailure(unordered);
		for (const problem of [
			/migrations\/1\.4\.3_lonely\.sql:2: it depends on nobody, which no migration is named/,
			/migrations\/1\.4\.5_egg\.sql:2: its dependencies are circular: hen -> egg -> hen/,
		]) {
			assert.match(unordered.output, problem);
		}
		await assertNothingMade(project);
	});

	it("in the command are told in a sentence", async () => {
		await project.init();
		const unknownStack = await project.pulumi("up", "--yes", "-s", "nowhere");
		assertClearFailure(unknownStack);
		assert.match(unknownStack.output, /no stack named 'nowhere' found/);

		const unknownBackend = await run(project, { PULUMI_BACKEND_URL: "carrier-pigeon://coop" });
		assertClearFailure(unknownBackend);
		assert.match(unknownBackend.output, /carrier-pigeon:\/\/coop/);

		const missingBackend = await run(project, { PULUMI_BACKEND_URL: "file:///nowhere/at/all" });
		assertClearFailure(missingBackend);
		assert.match(missingBackend.output, /there is no folder \/nowhere\/at\/all/);
		await assertNothingMade(project);
	});

	it("about ports are told with the setting that mends them, and the update goes on where it stopped", async () => {
		await project.init();
		const [database, gateway] = await Promise.all([takePort(), takePort()]);
		try {
			project.configure({ databasePort: database.port, gatewayPort: gateway.port });

			const noDatabase = await project.up();
			assertClearFailure(noDatabase);
			assert.match(
				noDatabase.output,
				new RegExp(`port ${database.port} for PostgreSQL is taken .* set \`databasePort\` to another one`),
			);

			await database.free();
			const noGateway = await project.up();
			assertClearFailure(noGateway);
			assert.match(
				noGateway.output,
				new RegExp(`port ${gateway.port} for the gateway is taken .* set \`gatewayPort\` to another one`),
			);

			await gateway.free();
			await project.mustUp();
			assert.equal(new URL(project.url).port, String(gateway.port));
			await project.assertStanding("1.3.0", BASE_VERSIONS);
		} finally {
			await database.free();
			await gateway.free();
		}
	});

	itUnless(readOnlyObstacle, "about a folder that cannot be written are told once", async () => {
		const refused = await withReadOnly(project.directory, () =>
			project.pulumi("stack", "init", "dev", "--non-interactive"),
		);
		assertClearFailure(refused);
		assert.match(refused.output, /cannot write \S+\/\.local: .*(read-only|not writable)/);
		await project.init();
	});

	itUnless(
		mountObstacle,
		"about a full disk are told once, and the update goes on where it stopped",
		async () => {
			const data = mountSmallDisk(project.path(".local", "dev"), 10);
			const state = mountSmallDisk(project.path(".local", "state"), 1);
			try {
				await project.init();
				const noData = await project.up();
				assertClearFailure(noData);
				assert.match(noData.output, /No space left on device|disk is full/);

				data.resize(500);
				state.fill(100_000);
				const noState = await project.up();
				assertClearFailure(noState);
				assert.match(noState.output, /could not write \S+: the disk is full/);

				state.clear();
				await project.mustUp();
				await project.assertStanding("1.3.0", BASE_VERSIONS);
			} finally {
				await project.end();
				data.remove();
				state.remove();
			}
		},
	);
});

describe("mistakes on a deployed stack", () => {
	const stack = deployedStack("embedded");

	it("in the SQL of a migration are told with file and line before any migration runs", async () => {
		const project = stack();
		project.addTable("1.3.1", "zones");
		project.migration(
			"1.4.0_typo.sql",
			sections({
				up: "CREATE TABLE lines (id int);\nCREATE TABEL areas (id int);",
				down: "DROP TABLE lines;",
			}),
		);
		project.configure({ release: "1.4.0" });

		const refused = await unchanged(project, () => project.up());

		assertClearFailure(refused);
		assert.match(refused.output, /migrations\/1\.4\.0_typo\.sql:5: .*syntax error at or near "TABEL"/);
		project.removeMigration("1.3.1_add_zones.sql");
		project.removeMigration("1.4.0_typo.sql");
		project.configure({ release: "1.3.0" });
		await project.mustUp();
	});

	it("in a file that was changed after it was applied are told with both checksums and its time", async () => {
		const project = stack();
		const file = project.path("migrations", "1.1.0_add_camera_metadata.sql");
		const content = readFileSync(file, "utf8");
		const changed = content.replace("JSONB", "JSON");
		writeFileSync(file, changed);

		const refused = await unchanged(project, () => project.up());

		assertClearFailure(refused);
		assert.match(
			refused.output,
			new RegExp(
				"1\\.1\\.0 add_camera_metadata: migrations/1\\.1\\.0_add_camera_metadata\\.sql was changed after it was " +
					`applied on \\d{4}-\\d\\d-\\d\\dT\\S+Z by \\S+: applied with checksum ${sha256(content)}, ` +
					`the file has ${sha256(changed)}`,
			),
		);
		writeFileSync(file, content);
		await project.mustUp();
		await project.assertStanding("1.3.0", BASE_VERSIONS);
	});

	it("in the order of versions are refused, unless they are allowed", async () => {
		const project = stack();
		project.addTable("1.2.5", "latecomers");
		const refused = await unchanged(project, () => project.up());
		assertClearFailure(refused);
		assert.match(
			refused.output,
			/migration 1\.2\.5 add_latecomers is older than 1\.3\.0, the newest applied one; .* set allowOutOfOrder/,
		);

		project.configure({ allowOutOfOrder: true });
		await project.mustUp();
		assert.deepEqual(await project.appliedInTarget(), ["1.0.0", "1.1.0", "1.2.0", "1.2.5", "1.3.0"]);
		project.removeMigration("1.2.5_add_latecomers.sql");
		project.configure({ allowOutOfOrder: undefined });
		await project.mustUp();
		await project.assertStanding("1.3.0", BASE_VERSIONS);
	});

	it("about its passphrase change nothing", async () => {
		const project = stack();
		const wrong = await unchanged(project, () => run(project, { PULUMI_CONFIG_PASSPHRASE: "guess" }));
		assertClearFailure(wrong);
		assert.match(wrong.output, /incorrect passphrase/);
		assert.doesNotMatch(wrong.output, /guess/);
	});

	itUnless(readOnlyObstacle, "about a state folder that cannot be written change nothing", async () => {
		const project = stack();
		const refused = await unchanged(project, () =>
			withReadOnly(project.path(".local", "state", ".pulumi", "locks"), () => project.up()),
		);
		assertClearFailure(refused);
		assert.match(refused.output, /could not write \S+: (the file system is read-only|permission denied)/);
		await project.mustUp();
	});
});

function run(project: DeployedProject, environment: NodeJS.ProcessEnv): Promise<CommandResult> {
	return finished(project.start(["up", "--yes", "--skip-preview", "-s", "dev"], environment));
}

async function assertNothingMade(project: DeployedProject): Promise<void> {
	assert.equal(existsSync(project.path(".local", "dev")), false);
	assert.deepEqual(project.processes(), []);
	const { stdout } = await project.must("stack", "export", "-s", "dev");
	const { resources = [] } = JSON.parse(stdout).deployment as { resources?: { type: string }[] };
	assert.deepEqual(
		resources.filter(({ type }) => type !== "pulumi:pulumi:Stack"),
		[],
	);
}

/** Asserts that some work leaves the database, the live service and every process as they were. */
async function unchanged<T>(project: DeployedProject, work: () => Promise<T>): Promise<T> {
	const look = async () => ({
		applied: await project.appliedInTarget(),
		tables: await project.database("SELECT relname FROM pg_stat_user_tables ORDER BY 1"),
		processes: project.running(),
		version: await (await fetch(`${project.url}/version`, { signal: AbortSignal.timeout(5000) })).json(),
	});
	const before = await look();
	const result = await work();
	assert.deepEqual(await look(), before);
	return result;
}

function sha256(content: string): string {
	return createHash("sha256").update(content).digest("hex");
}

/** Takes a port as another program would. */
async function takePort(): Promise<{ port: number; free(): Promise<void> }> {
	const server: Server = createServer();
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(0, "127.0.0.1", resolve);
	});
	return {
		port: (server.address() as AddressInfo).port,
		free: () => new Promise((resolve) => server.close(() => resolve())),
	};
}
