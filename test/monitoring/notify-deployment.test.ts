import assert from "node:assert/strict";
import { openDeployment } from "../../components/catalog/deployments";
import { finishRollback, startRollback } from "../../components/catalog/rollbacks";
import { withClient } from "../../components/database/connection";
import type { DeploymentContext } from "../../components/pipeline/context";
import { completeDeployment, inStage, TrafficReturned } from "../../components/pipeline/deployment";
import { MIGRATION_SETTINGS } from "../pipeline/migration-settings";
import { TestCatalog } from "./catalog";
import { type Behaviour, Receiver } from "./receiver";

interface Message {
	type: string;
	data: { deploymentId: number; release: string; error: string | null; rollback: { type: string } | null };
}

describe("a deployment with a receiver of notifications", () => {
	let catalog: TestCatalog;
	let receiver: Receiver;
	let context: DeploymentContext;
	let printed: string[];
	const { log } = console;

	async function begin(...behaviours: Behaviour[]): Promise<void> {
		receiver = await Receiver.start(...behaviours);
		context = {
			environment: "staging",
			pipelineName: "counting_local",
			release: "1.4.0",
			stages: [],
			settings: {},
			catalog: catalog.database.owner,
			target: catalog.database.owner,
			targetName: "counting_local_green_2",
			backupDirectory: "none",
			onFailure: "keep",
			notify: { url: receiver.url, format: "generic" },
			migrations: MIGRATION_SETTINGS,
		};
	}

	beforeEach(async () => {
		catalog = await TestCatalog.make();
		printed = [];
		console.log = (line: string) => printed.push(line);
	});

	afterEach(async () => {
		console.log = log;
		await completeDeployment({ ...context, notify: undefined });
		await receiver.stop();
		await catalog.drop();
	});

	const messages = () =>
		(receiver.messages as Message[]).sort(
			(left, right) =>
				left.data.deploymentId - right.data.deploymentId || (left.type === "deployment.started" ? -1 : 1),
		);

	async function statuses(): Promise<string[]> {
		const { rows } = await catalog.client.query("SELECT status FROM deployment_pipelines ORDER BY id");
		return rows.map(({ status }) => status);
	}

	it("tells that it has started and that it succeeded", async () => {
		await begin(204);
		const id = await inStage(context, "Health Checks", "one", async (each) => each);
		await inStage(context, "Health Checks", "two", async () => {});
		await completeDeployment(context);
		const [started, succeeded, ...others] = messages();
		assert.deepEqual(others, []);
		assert.deepEqual([started?.type, started?.data.deploymentId], ["deployment.started", id]);
		assert.deepEqual(
			[succeeded?.type, succeeded?.data.deploymentId, succeeded?.data.release],
			["deployment.succeeded", id, "1.4.0"],
		);
		assert.deepEqual(printed, []);
	});

	it("tells why it failed, and that the traffic went back", async () => {
		await begin(204);
		await assert.rejects(
			inStage(context, "Health Checks", "tests", async () => {
				throw new Error("1 of 2 failed\nwith details");
			}),
		);
		await assert.rejects(
			inStage(context, "Health Checks", "traffic", async (deploymentId) => {
				await withClient(context.catalog, { applicationName: "test" }, async (client) => {
					const rollback = await startRollback(client, {
						deploymentId,
						type: "health_check_failure",
						reason: "slow",
					});
					await finishRollback(client, rollback, { steps: [] });
				});
				throw new TrafficReturned("slow");
			}),
		);
		assert.deepEqual(
			messages().map(({ type, data }) => [type, data.error, data.rollback?.type]),
			[
				["deployment.started", null, undefined],
				["deployment.failed", "tests: 1 of 2 failed", undefined],
				["deployment.started", null, undefined],
				["deployment.rolled_back", "traffic: slow", "health_check_failure"],
			],
		);
	});

	it("tells what became of one whose update was killed, with the release of that one", async () => {
		await begin(204);
		const lost = await openDeployment(catalog.client, {
			pipelineName: "counting_local",
			release: "1.3.9",
			environment: "staging",
			triggeredBy: "ana",
			config: {},
		});
		await inStage(context, "Health Checks", "one", async () => {});
		await completeDeployment(context);
		const [first, ...others] = messages();
		assert.deepEqual(
			[first?.type, first?.data.deploymentId, first?.data.release, first?.data.error],
			["deployment.failed", lost, "1.3.9", "interrupted"],
		);
		assert.deepEqual(
			others.map(({ type }) => type),
			["deployment.started", "deployment.succeeded"],
		);
	});

	it("goes through while the receiver fails, with one warning for each message and nothing of the address but its host", async () => {
		await begin(500);
		const id = await inStage(context, "Health Checks", "one", async (each) => each);
		await completeDeployment(context);
		assert.deepEqual(await statuses(), ["completed"]);
		assert.deepEqual(printed.sort(), [
			`warning: nobody was notified that deployment ${id} ended as completed: ${receiver.host} did not take it (3 of 3 attempts): it answered 500`,
			`warning: nobody was notified that deployment ${id} started: ${receiver.host} did not take it (3 of 3 attempts): it answered 500`,
		]);
	});

	it("goes through while nobody listens, and while the receiver hangs", async () => {
		await begin("hang");
		await inStage(context, "Health Checks", "one", async () => {});
		await completeDeployment(context);
		const dead = { ...context, notify: { url: "http://127.0.0.1:1/secret", format: "slack" as const } };
		await inStage(dead, "Health Checks", "one", async () => {});
		await completeDeployment(dead);
		assert.deepEqual(await statuses(), ["completed", "completed"]);
		assert.equal(printed.length, 4);
		assert.ok(printed.every((line) => line.startsWith("warning: ") && !line.includes("secret")));
	});

	it("tells nobody unless it is configured", async () => {
		await begin(204);
		const silent = { ...context, notify: undefined };
		await inStage(silent, "Health Checks", "one", async () => {});
		await completeDeployment(silent);
		assert.deepEqual(receiver.requests, []);
	});

	it("tells of a failure even when the catalog cannot be asked", async () => {
		await begin(204);
		const id = await inStage(context, "Health Checks", "one", async (each) => each);
		const away = { ...context, catalog: { ...context.catalog, port: 1 } };
		await assert.rejects(
			inStage(away, "Health Checks", "two", async () => {}),
			/the catalog could not be told/,
		);
		const failed = messages().at(-1);
		assert.deepEqual([failed?.type, failed?.data.deploymentId], ["deployment.failed", id]);
		assert.match(failed?.data.error ?? "", /^two: cannot connect to /);
	});
});
