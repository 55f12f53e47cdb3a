import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BlueGreenProject } from "../../support/blue-green-project";
import { BASE_VERSIONS, kill } from "../../support/deployed-project";
import { assertUnharmed, underTraffic } from "../../support/traffic";

const BLUE_1 = { generation: 1, release: "1.2.0", versions: BASE_VERSIONS.slice(0, 3) };
const GREEN_2 = { generation: 2, release: "1.3.0", versions: BASE_VERSIONS };
const COLORS = { blue: BLUE_1, green: GREEN_2 };

describe("a blue-green stack with a server for each colour and no superuser, on the embedded engine", () => {
	let project: BlueGreenProject;

	before(async () => {
		project = new BlueGreenProject("embedded", {
			serverPerColor: true,
			withoutSuperuser: true,
			release: "1.2.0",
		});
		await project.init();
	});

	after(() => project.discard());

	it("releases, goes back, takes other settings and passwords, comes back after a reboot with its links, and is destroyed without", async function () {
		this.timeout(900_000);
		await project.mustUp();
		await project.assertColors({ live: "blue", colors: { blue: BLUE_1 }, nextGeneration: 2 });
		await deploy({ release: "1.3.0" });
		await project.assertColors({ live: "green", colors: COLORS, nextGeneration: 3 });
		await deploy({ release: "1.2.0" });
		await project.assertColors({ live: "blue", colors: COLORS, nextGeneration: 3 });

		const before = project.running().service;
		const settings = await deploy({ poolSize: 3 });
		assert.match(settings, /the service of blue-1 starts anew with other settings: poolSize 4 → 3/);
		await project.assertColors({ live: "blue", colors: COLORS, nextGeneration: 3 });
		const after = project.running().service;
		assert.equal(after.filter((pid) => before.includes(pid)).length, 1);
		assert.deepEqual(after.map((pid) => variableOf(pid, "POOL_SIZE")).sort(), ["3", "4"]);

		const passwords = passwordsOf(after);
		await deploy({ passwordGeneration: 2 });
		const renewed = passwordsOf(project.running().service);
		// One for each colour, and the queue's.
		assert.equal(passwords.size, 3);
		assert.equal(new Set([...passwords, ...renewed]).size, 6);
		await project.assertColors({ live: "blue", colors: COLORS, nextGeneration: 3 });

		await project.loseLinks();
		for (const pid of project.processes()) {
			kill(pid);
		}
		const preview = await project.must("preview", "-s", "staging");
		assert.match(preview.output, /LocalServerRunning server-running update/);
		assert.match(preview.output, /LocalServerRunning server-green-running update/);
		await project.mustUp();
		await project.assertColors({ live: "blue", colors: COLORS, nextGeneration: 3 });

		// Green keeps the settings that it was deployed with.
		await deploy({ release: "1.3.0", poolSize: 4 });
		await project.assertColors({ live: "green", colors: COLORS, nextGeneration: 3 });

		// What is on a server that does not answer goes with it.
		for (const pid of project.running().server) {
			kill(pid);
		}
		await project.must("destroy", "--yes", "--skip-preview", "-s", "staging");
		assert.deepEqual(project.processes(), []);
	});

	/** An update under traffic that no client notices. Returns what it told. */
	async function deploy(settings: Record<string, string | number>): Promise<string> {
		project.configure(settings);
		const traffic = await underTraffic(project, () => project.up());
		assert.equal(traffic.result.code, 0, traffic.result.output);
		await assertUnharmed(project, traffic);
		return traffic.result.output;
	}
});

function variableOf(pid: number, name: string): string | undefined {
	const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
	return environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

function passwordsOf(pids: readonly number[]): Set<string | undefined> {
	return new Set(pids.flatMap((pid) => [variableOf(pid, "PGPASSWORD"), variableOf(pid, "QUEUE_PGPASSWORD")]));
}
