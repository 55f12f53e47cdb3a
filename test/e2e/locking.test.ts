import assert from "node:assert/strict";
import { hostname, userInfo } from "node:os";
import {
	BASE_VERSIONS,
	type DeployedProject,
	deployedStack,
	kill,
	sections,
} from "../support/deployed-project";
import { onCli } from "../support/engines";
import { type BlockedUpdate, blockedUpdate, waitingFor } from "../support/killed-update";
import { assertClearFailure } from "../support/outcome";

describe("two updates of one stack, on the embedded engine", () => {
	const stack = deployedStack("embedded");

	it("exclude each other; the lock of one that was killed is taken over", async () => {
		const project = stack();
		const first = await updateInMigration(project);
		const before = await records(project);

		const second = await project.up();

		assertClearFailure(second);
		assert.match(second.output, /the stack is currently locked by 1 lock\(s\)/);
		assert.match(second.output, holder());
		assert.deepEqual(await records(project), before);

		kill(-first.pid);
		await first.ended;
		await project.untilUpdateIsGone();
		await first.unblock();
		const third = await project.up();
		assert.equal(third.code, 0, third.output);
		assert.match(third.output, /took over the lock of a process that is gone/);
		await project.assertStanding("1.4.0", [...BASE_VERSIONS, "1.4.0"]);

		await putBack(project);
	});
});

onCli("two updates of one stack, on the Pulumi CLI", () => {
	const stack = deployedStack("cli");

	it("exclude each other", async () => {
		const project = stack();
		const first = await updateInMigration(project);
		const before = await records(project);

		const second = await project.up();

		assert.notEqual(second.code, 0);
		assert.match(second.output, /the stack is currently locked by 1 lock\(s\)/);
		assert.match(second.output, holder());
		assert.deepEqual(await records(project), before);

		const { code, output } = await first.unblock();
		assert.equal(code, 0, output);
		await project.assertStanding("1.4.0", [...BASE_VERSIONS, "1.4.0"]);
		await putBack(project);
	});
});

/** Who holds the lock, and since when. */
function holder(): RegExp {
	return new RegExp(
		`created by ${userInfo().username}@${hostname()} \\(pid \\d+\\) at \\d{4}-\\d\\d-\\d\\dT`,
	);
}

/** An update in the middle of a migration, which waits for a table that the test holds. */
function updateInMigration(project: DeployedProject): Promise<BlockedUpdate> {
	project.migration(
		"1.4.0_add_zone.sql",
		sections({
			up: "ALTER TABLE cameras ADD COLUMN zone int;",
			down: "ALTER TABLE cameras DROP COLUMN zone;",
		}),
	);
	project.configure({ release: "1.4.0", lockRetries: 100 });
	return blockedUpdate(project, waitingFor("counting_dev", "LOCK TABLE cameras IN ROW EXCLUSIVE MODE"));
}

async function putBack(project: DeployedProject): Promise<void> {
	project.configure({ release: "1.3.0", lockRetries: undefined });
	await project.mustUp();
	project.removeMigration("1.4.0_add_zone.sql");
}

async function records(project: DeployedProject): Promise<unknown> {
	return {
		deployments: await project.catalog("SELECT * FROM deployment_pipelines ORDER BY id"),
		migrations: await project.appliedInTarget(),
		processes: project.running().service,
	};
}
