import assert from "node:assert/strict";
import { withClient } from "../../components/database/connection";
import { TrafficReturned } from "../../components/pipeline/deployment";
import { observeNodes } from "../../components/replication/environment";
import { nodeName } from "../../components/replication/node";
import { GatewayRouter } from "../../components/traffic/local/gateway-router";
import { type ReleaseTrafficOptions, releaseTraffic } from "../../components/traffic/release-traffic";
import { testServer } from "../support/postgres";
import { Pair } from "./crash/pair";

/** Refuses what the catalog is told once the traffic has moved, as a full disk would. */
const REFUSE = `
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the catalog is full'; END $$;
	CREATE TRIGGER refuse BEFORE INSERT ON deployment_execution_logs FOR EACH ROW
		WHEN (NEW.execution_step LIKE 'cutover: %') EXECUTE FUNCTION refuse();
	CREATE TRIGGER refuse BEFORE UPDATE ON blue_green_deployments FOR EACH ROW
		WHEN (NEW.deployment_status IN ('completed', 'failed')) EXECUTE FUNCTION refuse();`;

describe("a release whose move cannot be written down", () => {
	let pair: Pair;
	let told: string[];

	beforeEach(async () => {
		told = [];
		pair = await Pair.start(await testServer());
		await pair.addIdle();
		await pair.putInStep();
		await withClient(pair.catalog, { applicationName: "test" }, (client) => client.query(REFUSE));
	});

	afterEach(() => pair.remove());

	function options(changes: Partial<ReleaseTrafficOptions>): ReleaseTrafficOptions {
		const { stateFile, ...order } = pair.moveOrder(pair.idle!);
		return {
			...order,
			router: new GatewayRouter(stateFile),
			bake: { seconds: 1, maxErrorPercent: 1, maxLatencyMs: 1000 },
			isNew: true,
			checkHealth: async () => undefined,
			examine: async () => [],
			context: {
				environment: "staging",
				pipelineName: "test",
				release: pair.idle!.release,
				stages: [],
				settings: {},
				catalog: pair.catalog,
				target: pair.idle!.owner,
				targetName: "test",
				backupDirectory: ".",
				onFailure: "keep",
				migrations: {
					lockTimeoutMs: 1000,
					lockRetries: 1,
					statementTimeoutMs: 1000,
					advisoryLockTimeoutMs: 1000,
					allowOutOfOrder: false,
				},
			},
			deploymentId: pair.deploymentId,
			log: (line) => told.push(line),
			...changes,
		};
	}

	async function openColor(): Promise<string[]> {
		const observed = await observeNodes(pair.servers);
		return observed.filter(({ fence }) => fence?.open).map(({ node }) => nodeName(node));
	}

	it("is watched all the same, and stays where it is well", async () => {
		let examined = 0;
		const fresh = nodeName(pair.idle!.node);
		const { switched } = await releaseTraffic(
			options({
				examine: async () => {
					examined++;
					return [];
				},
			}),
		);
		assert.deepEqual({ switched, examined }, { switched: true, examined: 1 });
		assert.deepEqual(await openColor(), [fresh]);
		assert.equal(
			told.filter((line) => line === "the catalog could not be told: the catalog is full").length,
			2,
		);
	});

	it("loses the traffic again where it is not well", async () => {
		const before = nodeName(pair.live.node);
		await assert.rejects(
			releaseTraffic(
				options({
					checkHealth: async () => "/readyz answered 500",
					bake: { seconds: 30, maxErrorPercent: 1, maxLatencyMs: 1000 },
				}),
			),
			(error: unknown) => {
				assert.ok(error instanceof TrafficReturned);
				assert.match(error.message, /answered 500/);
				return true;
			},
		);
		assert.deepEqual(await openColor(), [before]);
	});
});
