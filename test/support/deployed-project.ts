import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "../../components/database/connection";
import { removeServer, stopServer } from "../../components/database/local/server";
import { loadState } from "../../gateway/state";
import { type EngineName, TestProject } from "./project";
import { until } from "./waiting";

/** A kind of process that works for a stack. */
export type Role = "server" | "gateway" | "service" | "update" | "other";

/** A project whose stack is looked at without asking the engine, and thrown away without destroying it. */
export class DeployedProject extends TestProject {
	private readonly admins = new Map<string, Connection>();

	/** The gateway's public address. */
	get url(): string {
		return `http://127.0.0.1:${loadState(this.local("gateway", "state.json")).port}`;
	}

	override async superuser(database = "postgres", server = "server"): Promise<Connection> {
		const admin = this.admins.get(server) ?? (await super.superuser("postgres", server));
		this.admins.set(server, admin);
		return { ...admin, database };
	}

	/** An update that has to succeed. */
	async mustUp(): Promise<void> {
		const { code, output } = await this.up();
		assert.equal(code, 0, output);
	}

	/** A migration file whose down section drops what its up section made. */
	addTable(version: string, table: string): void {
		this.migration(
			`${version}_add_${table}.sql`,
			sections({ up: `CREATE TABLE ${table} (id int PRIMARY KEY);`, down: `DROP TABLE ${table};` }),
		);
	}

	/** Process ids by what they do; PostgreSQL's own children are left out. */
	running(): Record<Role, number[]> {
		const found: Record<Role, number[]> = { server: [], gateway: [], service: [], update: [], other: [] };
		for (const pid of this.processes()) {
			const role = roleOf(pid);
			if (role !== undefined) {
				found[role].push(pid);
			}
		}
		return found;
	}

	/** Waits until nothing of an update runs any more: neither engine nor program nor provider host. */
	async untilUpdateIsGone(): Promise<void> {
		await until("the update's processes have ended", () => this.running().update.length === 0 || undefined);
	}

	/** Asserts that the stack is exactly at a release: state, database, catalog, processes and files agree. */
	async assertStanding(release: string, versions: string[]): Promise<void> {
		const preview = await this.pulumi("preview", "--expect-no-changes", "-s", this.stack);
		assert.equal(preview.code, 0, preview.output);
		assert.deepEqual(await this.appliedInTarget(), versions);
		assert.deepEqual(
			await this.catalog(
				"SELECT migration_version AS version FROM deployment_migrations WHERE is_applied AND status = 'completed' ORDER BY id",
			),
			versions.map((version) => ({ version })),
		);
		assert.deepEqual(
			await this.catalog(
				"SELECT migration_version, status FROM deployment_migrations WHERE NOT is_applied AND status NOT IN ('rolled_back', 'failed')",
			),
			[],
		);
		assert.deepEqual(
			await this.catalog(
				"SELECT pipeline_version AS release FROM deployment_pipelines WHERE status = 'completed' ORDER BY id DESC LIMIT 1",
			),
			[{ release }],
		);
		assert.deepEqual(
			await this.catalog(
				"SELECT id, status FROM deployment_pipelines WHERE status IN ('running', 'pending')",
			),
			[],
		);
		const reply = await fetch(`${this.url}/version`, { signal: AbortSignal.timeout(5000) });
		const { release: live, schema } = (await reply.json()) as { release: string; schema: string };
		assert.deepEqual({ live, schema }, { live: release, schema: versions.at(-1) });
		this.assertNothingLeftOver();
	}

	appliedInTarget(): Promise<string[]> {
		return this.database<{ version: string }>(
			"SELECT version FROM deployment.schema_migrations WHERE state = 'applied' ORDER BY version_order",
		).then((rows) => rows.map(({ version }) => version));
	}

	/** Servers and services as many as they should be, one gateway, and no file that something interrupted has left. */
	assertNothingLeftOver(wanted: { servers: number; services: number } = { servers: 1, services: 1 }): void {
		const { other, ...known } = this.running();
		assert.deepEqual(other.map(commandLineOf), []);
		const counts = Object.fromEntries(Object.entries(known).map(([role, pids]) => [role, pids.length]));
		assert.deepEqual(counts, { server: wanted.servers, gateway: 1, service: wanted.services, update: 0 });
		const files = filesBelow(this.path(".local"), join(this.stack, "postgres", "data"));
		assert.deepEqual(
			files.filter(
				(file) => /\.(tmp|new)(\/|$)|\/locks\/.*\.json/.test(file) && !file.includes("/postgres/data/"),
			),
			[],
		);
		for (const [folder, ending, count] of [
			["service", ".pid", wanted.services],
			["service", ".json", wanted.services],
			["gateway", ".pid", 1],
		] as const) {
			const found = files.filter(
				(file) => file.startsWith(join(this.stack, folder)) && file.endsWith(ending),
			);
			assert.equal(found.length, count, `${ending} files in ${folder}: ${found.join(", ")}`);
		}
	}

	/** Ends everything that runs for the project. */
	async end(): Promise<void> {
		const { server: _, ...others } = this.running();
		for (const pid of Object.values(others).flat()) {
			kill(pid);
		}
		await stopServer(this.local(), 30);
		await until("everything has ended", () => {
			const left = this.processes();
			for (const pid of left) {
				kill(pid);
			}
			return left.length === 0 || undefined;
		});
	}

	/** Ends everything and removes the folder, much faster than `destroy`. */
	async discard(): Promise<void> {
		await this.end();
		if (existsSync(this.local())) {
			await removeServer(this.local(), 30);
		}
		rmSync(this.directory, { recursive: true, force: true });
	}
}

/**
 * One stack deployed at release 1.3.0 for all tests of a suite. Each test ends as it began, at that release; after one
 * that failed the next gets another stack.
 */
export function deployedStack(engine: EngineName): () => DeployedProject {
	return sharedStack(() => new DeployedProject(engine));
}

/** One deployed stack for all tests of a suite; after a test that failed the next gets another one. */
export function sharedStack<T extends DeployedProject>(make: () => T): () => T {
	let project: T | undefined;
	const discard = async () => {
		const gone = project;
		project = undefined;
		await gone?.discard();
	};
	beforeEach(async () => {
		if (project === undefined) {
			project = make();
			await project.init();
			await project.mustUp();
		}
	});
	afterEach(async function () {
		if (this.currentTest?.state !== "passed") {
			await discard();
		}
	});
	after(discard);
	return () => {
		assert.ok(project);
		return project;
	};
}

/** The versions of the migrations that release 1.3.0 has. */
export const BASE_VERSIONS = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"];

/** The content of a migration file. */
export function sections(migration: {
	up: string;
	down?: string;
	type?: string;
	/** Runs statement by statement. */
	stepwise?: boolean;
	header?: string[];
}): string {
	const { up, down, type = "schema", stepwise = false, header = [] } = migration;
	return [
		`-- type: ${type}`,
		...header,
		"",
		`-- migrate:up${stepwise ? " transaction:false" : ""}`,
		up,
		...(down === undefined ? [] : ["", `-- migrate:down${stepwise ? " transaction:false" : ""}`, down]),
		"",
	].join("\n");
}

function roleOf(pid: number): Role | undefined {
	const line = commandLineOf(pid);
	// PostgreSQL's children and the compiler's helper live and die with those that started them.
	if (line === "" || line.startsWith("postgres: ") || line.includes("/esbuild --service=")) {
		return undefined;
	}
	if (line.includes("--instance=gateway-")) {
		return "gateway";
	}
	if (line.includes("--instance=")) {
		return "service";
	}
	if (/(^|\/)postgres -D/.test(line)) {
		return "server";
	}
	return /engine\/main\.ts|scripts\/pulumi\.ts|cmd\/(run|dynamic-provider)|^\S*pulumi\b/.test(line)
		? "update"
		: "other";
}

function commandLineOf(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
	} catch (error) {
		if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) {
			return "";
		}
		throw error;
	}
}

export function kill(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
			throw error;
		}
	}
}

/** Every file below a folder, as paths from there; one folder is left out. */
export function filesBelow(folder: string, except: string): string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => !entry.isDirectory())
		.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
		.filter((file) => !file.startsWith(except));
}
