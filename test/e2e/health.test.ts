import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { loadState } from "../../gateway/state";
import { BASE_VERSIONS, DeployedProject } from "../support/deployed-project";
import { assertClearFailure } from "../support/outcome";

/** A service that is ready until it was asked for its version: until the traffic has reached it once. */
const FAILING_ONCE_LIVE = `
import { createServer } from "node:http";
let asked = false;
createServer((request, response) => {
	if (request.url === "/readyz" && asked) {
		response.statusCode = 503;
	}
	asked ||= request.url === "/version";
	response.end(JSON.stringify({ release: process.env.RELEASE, instance: process.env.INSTANCE }));
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

describe("a release that turns unhealthy once it has the traffic, on the embedded engine", () => {
	let project: DeployedProject;

	beforeEach(async () => {
		project = new DeployedProject("embedded");
		writeFileSync(project.path("service", "failing.ts"), FAILING_ONCE_LIVE);
		await project.init();
	});

	afterEach(() => project.discard());

	function activeTarget(): string | null {
		return loadState(project.path(".local", "dev", "gateway", "state.json")).active;
	}

	it("is taken off the traffic before its schema goes, when it is the first one", async () => {
		project.configure({ serviceEntry: "service/failing.ts", readyTimeoutSeconds: 2 });
		const failed = await project.up();
		assertClearFailure(failed);
		assert.match(failed.output, /health check: .* is not healthy after 2 s/);
		assert.match(failed.output, /the traffic is taken off the service/);
		assert.match(failed.output, /automatic rollback: undid 1\.3\.0, 1\.2\.0, 1\.1\.0, 1\.0\.0/);
		assert.equal(activeTarget(), null);

		project.configure({ serviceEntry: undefined, readyTimeoutSeconds: undefined });
		await project.mustUp();
		await project.assertStanding("1.3.0", BASE_VERSIONS);
	});

	it("gives the traffic back to the release before it, and keeps it where that has lost its schema", async () => {
		await project.mustUp();
		const before = activeTarget();
		project.addTable("1.4.0", "zones");
		project.configure({ release: "1.4.0", serviceEntry: "service/failing.ts", readyTimeoutSeconds: 2 });
		const raised = await project.up();
		assertClearFailure(raised);
		assert.match(raised.output, new RegExp(`the traffic is back on ${before}`));
		assert.equal(activeTarget(), before);
		assert.deepEqual(await project.appliedInTarget(), BASE_VERSIONS);
		assert.deepEqual(
			await project.catalog("SELECT DISTINCT rollback_type, rollback_status FROM deployment_rollbacks"),
			[{ rollback_type: "health_check_failure", rollback_status: "completed" }],
		);

		project.removeMigration("1.4.0_add_zones.sql");
		project.configure({ release: "1.2.0" });
		const putBack = await project.up();
		assertClearFailure(putBack);
		assert.match(
			putBack.output,
			/the traffic stays on 1\.2\.0: the migrations of the newer release are undone/,
		);
		assert.match(activeTarget() ?? "", /^1\.2\.0-/);

		project.configure({ serviceEntry: undefined, readyTimeoutSeconds: undefined });
		await project.mustUp();
		await project.assertStanding("1.2.0", BASE_VERSIONS.slice(0, 3));
	});
});
