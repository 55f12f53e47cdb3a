import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { nodeName, otherColor } from "../../../components/replication/node";
import { afterRelease, BlueGreenProject, type Standing } from "../../support/blue-green-project";
import { BASE_VERSIONS, sections, sharedStack } from "../../support/deployed-project";
import { assertClearFailure } from "../../support/outcome";
import type { CommandResult } from "../../support/project";
import { assertNothingLost, assertUnharmed, type Traffic, underTraffic } from "../../support/traffic";
import { until } from "../../support/waiting";

const FILE = "1.4.0_add_zones.sql";

/** The real service, which serves some requests as it should and the later ones in another way. */
function turning(after: number, otherwise: string): string {
	return `
		import { Server } from "node:http";
		const emit = Server.prototype.emit;
		let served = 0;
		Server.prototype.emit = function (event, request, response) {
			const counts = event === "request" && !/^\\/(healthz|readyz|version)/.test(request.url);
			const go = () => emit.apply(this, arguments);
			if (!counts || ++served <= ${after}) {
				return go();
			}
			${otherwise}
			return true;
		};
		require("./main.ts");
	`;
}

/** Each test begins with release 1.3.0 live. */
describe("a blue-green release that fails once it has the traffic", () => {
	const stack = sharedStack(() => new BlueGreenProject("embedded"));

	it("loses the traffic within the same update, with all that was written, and goes through once it is mended", async () => {
		const project = stack();
		const before = await project.current();
		const traffic = await failingUpdate(
			project,
			"zones",
			turning(40, "response.statusCode = 500; request.resume(); response.end('{}');"),
		);

		const { output } = traffic.result;
		assert.match(
			output,
			/did not stand its bake \(\d+ of 3 s\): \d+ of \d+ requests failed \([\d.]+ %\), at most 1 % may/,
		);
		await assertWentBack(project, before, output);
		assert.ok(traffic.failures.length > 0);
		assert.deepEqual(
			traffic.failures.filter((failure) => !failure.endsWith(": 500 {}")),
			[],
		);
		await assertNothingLost(project, traffic);

		project.configure({ serviceEntry: undefined });
		const mended = await underTraffic(project, async () => {
			const update = project.up();
			await until("the record names the colour that has the traffic while it is watched", async () => {
				await sleep(100);
				const [row] = await project.catalog(
					"SELECT current_active AS live, deployment_status AS status FROM blue_green_deployments",
				);
				return row?.live === otherColor(before.live) && row.status === "switching";
			});
			return update;
		});
		assert.equal(mended.result.code, 0, mended.result.output);
		await assertUnharmed(project, mended);
		await project.assertColors(afterRelease(before, "1.4.0", [...BASE_VERSIONS, "1.4.0"]));
		await assertNothingLost(project, traffic);
		project.configure({ release: "1.3.0" });
		await project.mustUp();
	});

	it("loses the traffic when it answers too slowly, and is dropped when the release is put back", async () => {
		const project = stack();
		const before = await project.current();
		project.configure({ bakeMaxLatencyMilliseconds: 100 });
		const traffic = await failingUpdate(project, "lanes", turning(0, "setTimeout(go, 300);"));

		assert.match(
			traffic.result.output,
			/the 95th percentile of the latency of \d+ requests.* is .* ms, at most 100 ms are allowed/,
		);
		await assertWentBack(project, before, traffic.result.output);
		await assertUnharmed(project, traffic);

		project.configure({ release: "1.3.0", serviceEntry: undefined, bakeMaxLatencyMilliseconds: undefined });
		await project.mustUp();
		await project.assertColors(before, "idle");
		await assertUnharmed(project, traffic);
	});
});

/** @param table one that no other test's release 1.4.0 has: what a colour still holds would not be built again */
async function failingUpdate(
	project: BlueGreenProject,
	table: string,
	program: string,
): Promise<Traffic<CommandResult>> {
	project.migration(
		FILE,
		sections({ up: `CREATE TABLE ${table} (id int PRIMARY KEY);`, down: `DROP TABLE ${table};` }),
	);
	const name = `service/turning-${Math.trunc(performance.now())}.ts`;
	writeFileSync(project.path(name), program);
	project.configure({ release: "1.4.0", serviceEntry: name, bakeSeconds: 3 });
	const traffic = await underTraffic(project, () => project.up());
	assertClearFailure(traffic.result);
	return traffic;
}

async function assertWentBack(project: BlueGreenProject, before: Standing, output: string): Promise<void> {
	const { live, colors } = before;
	const home = nodeName({ color: live, generation: colors[live]!.generation });
	assert.match(output, new RegExp(`traffic to \\w+-${before.nextGeneration} \\(release 1\\.4\\.0\\): `));
	assert.match(
		output,
		new RegExp(`the traffic went back to ${home}; requests waited [\\d.]+ ms and nothing was lost`),
	);
	await project.assertUntouched(before);
	assert.deepEqual(await project.lastDeployment(), {
		release: "1.4.0",
		status: "rolled_back",
		rollback: "health_check_failure",
		previous: "1.4.0",
		target: "1.3.0",
		outcome: "completed",
	});
	const [row] = await project.catalog(
		`SELECT current_active AS live, deployment_status AS status, rollback_triggered AS back,
			health_check_results -> 0 ->> 'status' AS health
		FROM blue_green_deployments`,
	);
	assert.deepEqual(row, { live, status: "failed", back: true, health: "FAIL" });
}
