import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { afterRelease, BlueGreenProject } from "../../support/blue-green-project";
import { sharedStack } from "../../support/deployed-project";
import {
	afterStateWrites,
	killUpdate,
	type Victims,
	type WatchFor,
	waitingFor,
	whenTrafficMoves,
} from "../../support/killed-update";
import { query } from "../../support/project";
import { assertUnharmed, underTraffic } from "../../support/traffic";
import { until } from "../../support/waiting";

/** A slot can be made only when everybody who writes on the server has come to an end. */
const insideCopy = waitingFor("postgres", "SELECT pg_current_xact_id()");

/** The traffic has moved, that is on record, and the new colour is being watched. */
const insideBake: WatchFor = async (project) => {
	const stack = project as BlueGreenProject;
	const catalog = await project.superuser(`${stack.base}_catalog`);
	const moves = async () => {
		const [row] = await query<{ n: number }>(
			catalog,
			"SELECT count(*)::int AS n FROM deployment_execution_logs WHERE execution_step = 'cutover: release'",
		);
		return row!.n;
	};
	const before = await moves();
	return {
		reached: until("the traffic has moved", async () => (await moves()) > before || undefined),
		over() {},
	};
};

/** Each test begins with release 1.3.0 live. */
describe("a blue-green update that is killed, on the embedded engine", () => {
	const stack = sharedStack(() => new BlueGreenProject("embedded"));

	it("at any step of a release and of putting it back, loses no request and does what the last one is to do", async function () {
		this.timeout(600_000);
		const project = stack();
		const before = await project.current();
		project.addTable("1.4.0", "zones");
		project.configure({ release: "1.4.0", bakeSeconds: 30 });
		const raise = await underTraffic(project, async () => {
			await mustBeKilled(project, insideCopy);
			await mustBeKilled(project, insideBake, "engine");
			project.configure({ bakeSeconds: 1 });
			await project.mustUp();
		});
		await assertUnharmed(project, raise);
		const raised = afterRelease(before, "1.4.0", versionsOf(project));
		await project.assertColors(raised);

		project.configure({ release: "1.3.0" });
		const back = await underTraffic(project, async () => {
			await mustBeKilled(project, whenTrafficMoves);
			await project.mustUp();
		});
		await assertUnharmed(project, back);
		const returned = { ...raised, live: before.live };
		await project.assertColors(returned);

		project.configure({ release: "1.4.0" });
		const instead = await underTraffic(project, async () => {
			await mustBeKilled(project, whenTrafficMoves, "engine");
			project.configure({ release: "1.3.0" });
			await project.mustUp();
		});
		await assertUnharmed(project, instead);
		await project.assertColors(returned);
	});

	it("in its copy or when it has just moved the traffic, can be put back instead, and drops the new colour", async () => {
		const project = stack();
		const before = await project.current();
		project.addTable("1.5.0", "areas");
		project.configure({ release: "1.5.0" });
		const copying = await underTraffic(project, async () => {
			await mustBeKilled(project, insideCopy);
			project.configure({ release: "1.3.0" });
			await project.mustUp();
		});
		await assertUnharmed(project, copying);
		await project.assertColors(before);

		project.configure({ release: "1.5.0" });
		const traffic = await underTraffic(project, async () => {
			await mustBeKilled(project, whenTrafficMoves);
			project.configure({ release: "1.3.0" });
			await project.mustUp();
		});
		await assertUnharmed(project, traffic);
		await project.assertColors(before, "idle");
	});

	it("again and again between two writes of the state, also while it drops a colour, ends where it should", async () => {
		const project = stack();
		const before = await project.current();
		project.addTable("1.5.0", "areas");
		project.configure({ release: "1.5.0" });
		let kills = 0;
		const traffic = await underTraffic(project, async () => {
			for (let writes = 2; ; writes += 8) {
				const victims = kills % 2 === 0 ? "everything" : "engine";
				const result = await killUpdate(project, afterStateWrites(writes), victims);
				if (result !== undefined) {
					assert.equal(result.code, 0, result.output);
					break;
				}
				kills++;
			}
		});
		assert.ok(kills >= 3, `${kills} kills`);
		await assertUnharmed(project, traffic);
		await project.assertColors(afterRelease(before, "1.5.0", versionsOf(project)));
	});
});

/** Of all migrations that there are. */
function versionsOf(project: BlueGreenProject): string[] {
	return readdirSync(project.path("migrations"))
		.map((file) => file.split("_", 1)[0]!)
		.sort();
}

async function mustBeKilled(project: BlueGreenProject, watchFor: WatchFor, victims?: Victims): Promise<void> {
	const result = await killUpdate(project, watchFor, victims);
	assert.equal(result, undefined, `it ended before the moment came:\n${result?.output}`);
}
