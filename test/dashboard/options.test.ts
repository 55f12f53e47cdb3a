import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLoopback, OptionsError, readOptions, USAGE } from "../../dashboard/options";

const TOKEN = "correct-horse-battery-staple";

/** What is wrong with a command line, without the usage that closes the message. */
function problemsOf(args: string[], environment: Record<string, string> = {}): string[] {
	try {
		readOptions(args, environment);
	} catch (error) {
		assert(error instanceof OptionsError);
		const lines = error.message.split("\n");
		assert.equal(lines.pop(), USAGE);
		return lines;
	}
	return [];
}

describe("the dashboard's command line", () => {
	let directory: string;

	before(() => {
		directory = mkdtempSync(join(tmpdir(), "counting-options-"));
	});

	after(() => rmSync(directory, { recursive: true, force: true }));

	it("needs a stack only, and then listens on this machine alone", () => {
		assert.deepEqual(readOptions(["--stack", "staging"], {}), {
			stack: "staging",
			host: "127.0.0.1",
			port: 7780,
			token: undefined,
		});
		assert.equal(readOptions([], { PULUMI_STACK: "dev" }).stack, "dev");
		assert.equal(readOptions(["-s", "dev"], {}).stack, "dev");
	});

	it("takes the token from the file, or else from the environment", () => {
		const file = join(directory, "token");
		writeFileSync(file, `${TOKEN}\n`);
		const elsewhere = ["--stack=staging", "--host", "0.0.0.0", "--port", "0"];
		const expected = { stack: "staging", host: "0.0.0.0", port: 0, token: TOKEN };
		assert.deepEqual(
			readOptions([...elsewhere, "--token-file", file], { DASHBOARD_TOKEN: "another-that-is-long-enough" }),
			expected,
		);
		assert.deepEqual(readOptions(elsewhere, { DASHBOARD_TOKEN: TOKEN }), expected);
	});

	it("is refused without a token where others can reach the page", () => {
		for (const host of ["0.0.0.0", "::", "192.0.2.7", "dashboard.example"]) {
			assert.match(
				problemsOf(["-s", "dev", "--host", host])[0] ?? "",
				/others can reach .*, so a token is needed/,
			);
		}
		for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) {
			assert.deepEqual(problemsOf(["-s", "dev", "--host", host]), []);
		}
	});

	it("is told all its mistakes at once, and never the token", () => {
		const mistakes = problemsOf(["--port", "99999", "--colour", "green", "extra"], {
			DASHBOARD_TOKEN: "hunter2",
		});
		assert.deepEqual(
			mistakes.map((mistake) => mistake.slice(0, 28)),
			[
				"--colour is not known",
				"green is not understood",
				"extra is not understood",
				"--stack is missing: name the",
				"--port is too large: allowed",
				"the token is too short: it n",
				"the token is too easily gues",
			],
		);
		assert(!mistakes.join().includes("hunter2"));
		assert.match(problemsOf(["-s", "dev", "--port"]).join(), /--port is without a value/);
		assert.match(
			problemsOf(["-s", "dev", "--token-file", join(directory, "none")]).join(),
			/cannot be read: ENOENT/,
		);
	});

	it("takes no token that is short, of few characters, or with blanks", () => {
		const of = (token: string) => problemsOf(["-s", "dev"], { DASHBOARD_TOKEN: token }).join();
		assert.match(of("a1b2c3d4e5f6g7h8i9j0k1l"), /too short: it needs at least 24 characters/);
		assert.match(of("abababababababababababababab"), /fewer than 8 different characters/);
		assert.match(of("correct horse battery staple"), /blanks/);
		assert.equal(of(TOKEN), "");
	});

	it("knows which addresses only this machine can reach", () => {
		assert.deepEqual(
			["127.0.0.1", "127.255.0.1", "::1", "localhost", "0.0.0.0", "::", "10.0.0.1", "example.com", ""].map(
				isLoopback,
			),
			[true, true, true, true, false, false, false, false, false],
		);
	});
});
