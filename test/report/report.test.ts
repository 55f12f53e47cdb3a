import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadMigrations } from "../../components/migrations/files";
import type { Migration } from "../../components/migrations/migration";
import { migrationEntries } from "../../components/migrations/migration-entries";
import { planBlueGreen } from "../../components/release/blue-green";
import type { LastUpdate } from "../../components/release/last-update";
import { releaseReport } from "../../components/report/report";
import type { ReportInputs } from "../../components/report/report-inputs";
import { readStackFile } from "../../components/report/stack-file";
import { settingsOf } from "../../scripts/report-settings";
import { policyFindings } from "../../stages/policy";
import { after, desired } from "../release/support";

const REAL = loadMigrations("migrations");
const upTo = (newest: string) => REAL.filter(({ version }) => version <= newest);

/** What a stack looks like that has released these, the last of them live. */
function released(...releases: [release: string, migrations: readonly Migration[]][]): LastUpdate {
	let colors: LastUpdate["colors"];
	for (const [release, migrations] of releases) {
		colors = after(colors, planBlueGreen(colors, desired(release, migrationEntries(migrations))));
	}
	const [release, migrations] = releases.at(-1)!;
	const versions = migrations.map(({ version }) => version);
	return {
		release,
		completed: releases.map(([each]) => each),
		migrations: versions,
		...(colors && { colors }),
	};
}

const STACK_FILE = `config:
  camera-counting:environment: staging
  camera-counting:platform: local
  camera-counting:strategy: blue-green
  camera-counting:release: 1.3.0
  camera-counting:notifyUrl:
    secure: v1:before
`;

function inputs(changed: Partial<ReportInputs> & { text?: string }): ReportInputs {
	const { text = STACK_FILE, ...others } = changed;
	const file = readStackFile(text);
	return {
		stack: "staging",
		file,
		settings: settingsOf("camera-counting", file),
		migrations: { read: REAL },
		base: {
			known: {
				name: "`origin/main` (0123456789ab)",
				file: readStackFile(STACK_FILE),
				migrations: upTo("1.3.0"),
			},
		},
		last: { known: released(["1.2.0", upTo("1.2.0")], ["1.3.0", upTo("1.3.0")]) },
		databaseBytes: { known: 14.9e9 },
		isBaseNamed: false,
		guards: { faults: [], exceptions: [], unknown: [] },
		...others,
	};
}

/** Compares a report with the file of that name; `GOLDEN=write` writes it. */
async function assertGolden(name: string, given: ReportInputs, isRefused: boolean): Promise<void> {
	const { text, refusals } = await releaseReport(given, ({ environment, ...settings }) =>
		policyFindings(environment, settings),
	);
	const file = join(__dirname, "golden", `${name}.md`);
	if (process.env.GOLDEN === "write") {
		writeFileSync(file, text);
	}
	assert.equal(text, readFileSync(file, "utf8"));
	assert.equal(refusals.length > 0, isRefused, refusals.join("\n"));
}

describe("the release report", () => {
	let directory: string;

	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "report-"));
	});

	afterEach(() => {
		rmSync(directory, { recursive: true, force: true });
	});

	/** The real migrations with some files more, or other ones. */
	function withFiles(files: Record<string, string>, leftOut: readonly string[] = []): Migration[] {
		for (const { version, name, path } of REAL) {
			if (!leftOut.includes(version)) {
				writeFileSync(join(directory, `${version}_${name}.sql`), readFileSync(path));
			}
		}
		for (const [file, text] of Object.entries(files)) {
			writeFileSync(join(directory, file), text);
		}
		// Messages name the files as they lie in a project.
		return loadMigrations(directory).map((migration) => ({
			...migration,
			path: migration.path.replace(/^.*\//, "migrations/"),
		}));
	}

	it("of a stack's first deployment has every migration, and says what it cannot know", async () => {
		await assertGolden(
			"first",
			inputs({
				base: { unknown: "git does not tell where this comes from" },
				last: { known: undefined },
				databaseBytes: { unknown: "nothing is deployed, so that there is nothing to copy" },
			}),
			false,
		);
	});

	it("of a release that adds a table tells what it makes, which colour gets it, and how long the copy takes", async () => {
		const text = STACK_FILE.replace(
			"release: 1.3.0",
			"release: 1.4.0\n  camera-counting:bakeSeconds: 60",
		).replace("v1:before", "v1:after");
		await assertGolden("adds-a-table", inputs({ text }), false);
	});

	it("of a release that builds indexes tells that they are built outside a transaction", async () => {
		const last = { known: released(["1.1.0", upTo("1.1.0")], ["1.2.0", upTo("1.2.0")]) };
		const base = {
			known: { name: "`main` (0123456789ab)", file: readStackFile(STACK_FILE), migrations: upTo("1.2.0") },
		};
		await assertGolden("builds-indexes", inputs({ last, base, migrations: { read: upTo("1.3.0") } }), false);
	});

	it("of a release in place tells what runs on the database that serves", async () => {
		const text = STACK_FILE.replace("blue-green", "in-place").replace("release: 1.3.0", "release: 1.5.0");
		const read = withFiles({
			"1.5.0_widen_names.sql":
				"-- type: schema\n\n-- migrate:up\nALTER TABLE cameras DROP COLUMN location;\nALTER TABLE cameras ALTER COLUMN name TYPE varchar(400);\nCREATE INDEX idx_cameras_name ON cameras (name);\n\n-- migrate:down\nDROP INDEX idx_cameras_name;\nALTER TABLE cameras ADD COLUMN location text;\n",
		});
		const { colors: _, ...last } = released(["1.4.0", REAL]);
		await assertGolden("in-place", inputs({ text, migrations: { read }, last: { known: last } }), false);
	});

	it("refuses what would hurt: a file that was changed or taken away, a column that is still written, no approval", async () => {
		const text = STACK_FILE.replace("release: 1.3.0", "release: 1.5.0");
		const read = withFiles(
			{
				"1.3.0_add_performance_indexes.sql":
					"-- type: index\n\n-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 1;\n",
				"1.5.0_drop_location.sql":
					"-- type: schema\n-- irreversible: locations are kept by another service\n\n-- migrate:up\nALTER TABLE cameras DROP COLUMN location;\n",
			},
			["1.1.0"],
		);
		const guards = {
			faults: ["migrations that cannot be undone have to be approved by name: 1.5.0"],
			exceptions: [],
			unknown: [],
		};
		await assertGolden("refused", inputs({ text, migrations: { read }, guards }), true);
	});

	it("tells every mistake in the settings and the migration files, and nothing of what hangs on them", async () => {
		const text = STACK_FILE.replace("blue-green", "canary");
		const mistakes = ['migrations/1.5.0_x.sql:4: syntax error at or near "CREAT"; mend the statement'];
		await assertGolden("mistakes", inputs({ text, migrations: { mistakes } }), true);
	});

	const opening = async (given: ReportInputs) => (await releaseReport(given, () => [])).text.split("\n\n")[1];

	it("does not say that there are no locks where a statement's are not known", async () => {
		const text = STACK_FILE.replace("release: 1.3.0", "release: 1.5.0");
		const read = withFiles({
			"1.5.0_fill.sql":
				"-- type: data\n\n-- migrate:up\nDO $$ BEGIN END $$;\nSELECT fill() FROM cameras;\n\n-- migrate:down\nSELECT 1;\n",
		});
		const { text: report } = await releaseReport(inputs({ text, migrations: { read } }), () => []);
		assert.match(
			report,
			/^release `1\.3\.0` → `1\.5\.0`, blue-green, 2 migrations, not all of whose locks are known\. /m,
		);
		assert.match(report, /\| `DO \$\$ BEGIN END \$\$` \| unknown \| unknown \| unknown \|/);
		assert.match(
			report,
			/\| `SELECT fill\(\) FROM cameras` \| ACCESS SHARE on `cameras`; others unknown \| unknown \| unknown \|/,
		);
	});

	it("shows what runs when a release goes back in place", async () => {
		const { colors: _, ...last } = released(["1.4.0", REAL]);
		const text = STACK_FILE.replace("blue-green", "in-place");
		await assertGolden("back-in-place", inputs({ text, last: { known: last } }), false);
	});

	it("lets no text of a migration out of its cell, nor mention anybody", async () => {
		const text = STACK_FILE.replace("release: 1.3.0", "release: 1.5.0");
		const read = withFiles({
			"1.5.0_odd.sql":
				"-- type: schema\n-- irreversible: asked by @octocat <b>now</b>\n\n-- migrate:up\nCREATE TABLE \"a|b`c``d <img> @octocat\" (id int);\nCOMMENT ON TABLE cameras IS 'back``tick';\n",
		});
		const { text: report } = await releaseReport(inputs({ text, migrations: { read } }), () => []);
		assert.ok(
			report.includes('| none but of what it makes (``` "a\\|b`c``d <img> @octocat" ```) | nobody |'),
		);
		assert.ok(report.includes("| ``` COMMENT ON TABLE cameras IS 'back``tick' ``` |"));
		assert.ok(report.includes("Way back: none, since asked by @&#8203;octocat &lt;b>now&lt;/b>."));
	});

	it("says first what is not known", async () => {
		const why = "the state of stack staging cannot be read from here";
		const guards = { faults: [], exceptions: [], unknown: [{ what: "promotion", why }] };
		assert.equal(
			await opening(inputs({ guards, last: { unknown: why }, base: { unknown: "no git" } })),
			`release \`1.3.0\`, blue-green, 4 migrations. Nothing that is known stands against it. **Not known**: what is deployed, promotion (${why}); changed and removed migrations (no git).`,
		);
	});

	it("is of a release that is refused when the commit that was named to compare with cannot be read", async () => {
		const given = inputs({ base: { unknown: "git knows no commit typo here" }, isBaseNamed: true });
		assert.deepEqual((await releaseReport(given, () => [])).refusals, [
			"what this is to be compared with cannot be read, so that nobody sees which migrations were changed or removed: git knows no commit typo here",
		]);
	});

	it("shows no secret that somebody forgot to encrypt, nor what is another program's", async () => {
		const text = `${STACK_FILE.replace("\n    secure: v1:before", " https://user:hunter2@example.com")}  aws:secretKey: hunter2\n`;
		const { text: report } = await releaseReport(inputs({ text }), () => []);
		assert.match(report, /\| `camera-counting:notifyUrl` \| a secret \| a secret in plain text \|/);
		assert.match(report, /\| `aws:secretKey` \| – \| a value that is not shown \|/);
		assert.doesNotMatch(report, /hunter2/);
	});

	it("tells of many statements alike in one line, and shows as much of the SQL as has room, last", async () => {
		const text = STACK_FILE.replace("release: 1.3.0", "release: 1.5.0");
		const rows = Array.from(
			{ length: 1500 },
			(_, n) => `INSERT INTO cameras (name) VALUES ('camera ${n}');\n`,
		);
		const read = withFiles({
			"1.5.0_fill.sql": `-- type: data\n\n-- migrate:up\n${rows.join("")}DELETE FROM cameras;\n\n-- migrate:down\nSELECT 1;\n`,
		});
		const { text: report } = await releaseReport(inputs({ text, migrations: { read } }), () => []);
		assert.match(
			report,
			/^\| 4–1503 \| `INSERT INTO cameras \(name\) VALUES \('camera 0'\)` and 1499 like it \| ROW EXCLUSIVE on `cameras` \| nobody \|.*\n\| 1504 \| `DELETE/m,
		);
		assert.match(report, /^\d+ characters more are in `migrations\/1\.5\.0_fill\.sql`\.$/m);
		assert.ok(report.length < 30_000, String(report.length));
		assert.ok(report.indexOf("\n## Settings that change\n") < report.indexOf("\n## Statements\n"));
	});

	it("shows no secret", async () => {
		const text = STACK_FILE.replace("v1:before", "v1:ciphertext-of-the-new-one");
		const { text: report } = await releaseReport(inputs({ text }), () => []);
		assert.match(report, /\| `camera-counting:notifyUrl` \| a secret \| a secret \|/);
		assert.doesNotMatch(report, /v1:/);
	});
});
