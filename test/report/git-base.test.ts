import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { baseOf } from "../../components/report/git-base";

const MIGRATION = "-- type: schema\n\n-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 1;\n";

describe("what a release is compared with", () => {
	let repository: string;

	beforeEach(() => {
		repository = mkdtempSync(join(tmpdir(), "report-git-"));
		git("init", "--quiet", "--initial-branch=main");
		write("Pulumi.staging.yaml", "config:\n  camera-counting:release: 1.0.0\n");
		mkdirSync(join(repository, "migrations"));
		write("migrations/1.0.0_first.sql", MIGRATION);
		commit("first");
	});

	afterEach(() => {
		rmSync(repository, { recursive: true, force: true });
	});

	const git = (...args: string[]) =>
		execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", ...args], {
			cwd: repository,
			encoding: "utf8",
		}).trim();
	const write = (path: string, text: string) => writeFileSync(join(repository, path), text);

	function commit(message: string): string {
		git("add", "--all");
		git("commit", "--quiet", "--message", message);
		return git("rev-parse", "HEAD");
	}

	async function base(ref?: string) {
		const found = await baseOf({
			directory: repository,
			stack: "staging",
			migrationsDirectory: "migrations",
			...(ref !== undefined && { ref }),
		});
		return "unknown" in found
			? found.unknown
			: {
					name: found.known.name,
					release: found.known.file?.values["camera-counting:release"],
					versions: found.known.migrations.map(({ version }) => version),
				};
	}

	it("is where the branch left the main one, whatever has come to that since and whatever is not committed", async () => {
		const left = git("rev-parse", "HEAD");
		git("checkout", "--quiet", "-b", "feature");
		write("migrations/1.1.0_second.sql", MIGRATION);
		commit("second");
		git("checkout", "--quiet", "main");
		write("migrations/1.2.0_other.sql", MIGRATION);
		commit("other");
		git("checkout", "--quiet", "feature");
		write("Pulumi.staging.yaml", "config:\n  camera-counting:release: 1.1.0\n");
		const expected = { name: `\`main\` (${left.slice(0, 12)})`, release: "1.0.0", versions: ["1.0.0"] };
		assert.deepEqual(await base(), expected);
		assert.deepEqual(await base("main"), expected);
	});

	it("is the commit that is asked for", async () => {
		git("tag", "v1");
		write("migrations/1.1.0_second.sql", MIGRATION);
		commit("second");
		assert.deepEqual(await base("v1"), {
			name: `\`v1\` (${git("rev-parse", "v1").slice(0, 12)})`,
			release: "1.0.0",
			versions: ["1.0.0"],
		});
	});

	it("has no stack file where there was none", async () => {
		git("rm", "--quiet", "Pulumi.staging.yaml");
		commit("gone");
		assert.deepEqual((await base()) as object, {
			name: `\`main\` (${git("rev-parse", "HEAD").slice(0, 12)})`,
			release: undefined,
			versions: ["1.0.0"],
		});
	});

	it("is not known where no branch tells it", async () => {
		git("branch", "--move", "trunk");
		assert.match(String(await base()), /^git does not tell where this comes from/);
	});

	it("is not known for a commit that is not there, nor outside a repository", async () => {
		assert.equal(await base("v9"), "git knows no commit v9 here (in a shallow clone, fetch it first)");
		assert.equal(
			await base("--exec=sh"),
			"git knows no commit --exec=sh here (in a shallow clone, fetch it first)",
		);
		rmSync(join(repository, ".git"), { recursive: true });
		assert.match(String(await base()), /^fatal: not a git repository/);
	});
});
