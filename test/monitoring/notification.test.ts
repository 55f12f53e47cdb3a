import assert from "node:assert/strict";
import { type DeploymentEvent, eventType, notificationOf } from "../../components/monitoring/notification";

const event: DeploymentEvent = {
	deploymentId: 7,
	name: "counting_local",
	environment: "staging",
	release: "1.4.0",
	status: "completed",
	error: null,
	at: "2026-01-01T00:00:00.000Z",
	triggeredBy: "ana",
	commit: "abc",
	branch: "main",
	seconds: 41.6,
	rollback: null,
};
const putBack = {
	...event,
	release: "1.3.0",
	rollback: {
		type: "manual",
		reason: "the release was put back to 1.3.0",
		from: "1.4.0",
		to: "1.3.0",
		status: "completed",
	},
};
const failed = { ...event, status: "failed", error: "tests: 2 < 3 & <!here>" } as const;
const running = { ...event, status: "running", seconds: 0.1 } as const;

describe("a notification", () => {
	it("is of the type that the deployment's outcome has for whoever is told", () => {
		assert.deepEqual(
			[running, event, failed, { ...event, status: "rolled_back" } as const, putBack].map(eventType),
			[
				"deployment.started",
				"deployment.succeeded",
				"deployment.failed",
				"deployment.rolled_back",
				"deployment.rolled_back",
			],
		);
		const stuck = { ...failed, rollback: { ...putBack.rollback, status: "failed" } };
		assert.equal(eventType(stuck), "deployment.failed");
	});

	it("has type, time and everything that is known in the generic format", () => {
		const { id, body } = notificationOf(putBack, "generic");
		assert.equal(id, "counting_local-7-deployment.rolled_back");
		const { at: _, ...data } = putBack;
		assert.deepEqual(JSON.parse(body), {
			type: "deployment.rolled_back",
			timestamp: "2026-01-01T00:00:00.000Z",
			data,
		});
	});

	it("is a sentence in Slack's format, where nothing of it can become a link or a mention", () => {
		const text = (each: DeploymentEvent) => JSON.parse(notificationOf(each, "slack").body).text;
		assert.deepEqual(
			[running, event, failed, putBack, { ...event, triggeredBy: null, seconds: null }].map(text),
			[
				"*staging* counting_local: release 1.4.0 has started (deployment 7, started by ana)",
				"*staging* counting_local: release 1.4.0 is live after 42 s (deployment 7, started by ana)",
				"*staging* counting_local: release 1.4.0 failed after 42 s (deployment 7, started by ana)\n> tests: 2 &lt; 3 &amp; &lt;!here&gt;",
				"*staging* counting_local: went back from release 1.4.0 to 1.3.0 after 42 s (deployment 7, started by ana)\n> the release was put back to 1.3.0",
				"*staging* counting_local: release 1.4.0 is live (deployment 7)",
			],
		);
	});
});
