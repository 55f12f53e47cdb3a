import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { metricsOf } from "../../components/monitoring/metrics";
import { createMetricsServer } from "../../components/monitoring/metrics-server";
import { type Observation, observe } from "../../components/monitoring/observe";
import { until } from "../support/waiting";
import { TestCatalog } from "./catalog";
import { fullObservation } from "./observation";

/** The samples of an exposition, without its comments. */
function samplesOf(text: string): string[] {
	return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

async function samples(observation: Observation): Promise<string[]> {
	return samplesOf(await metricsOf(observation).metrics());
}

describe("the figures for Prometheus", () => {
	it("are those of the status and of the links", async () => {
		assert.deepEqual(await samples(fullObservation), [
			"deployment_catalog_up 1",
			'deployments_month{environment="staging"} 4',
			'deployments_month_outcomes{environment="staging",outcome="completed"} 1',
			'deployments_month_outcomes{environment="staging",outcome="failed"} 2',
			'deployments_month_outcomes{environment="staging",outcome="rolled_back"} 0',
			'deployments_month_success_percent{environment="staging"} 33.33',
			'deployments_month_average_seconds{environment="staging"} 20.5',
			'deployments_month_longest_seconds{environment="staging"} 60',
			"deployments_today 4",
			"deployments_today_successful 1",
			"deployments_today_failed 2",
			"deployments_active 1",
			"deployments_week_average_seconds 75",
			'deployment_environment_healthy{environment="staging"} 0',
			'deployment_release_info{environment="staging",release="1.3.0"} 1',
			'deployment_color_live{color="green",release="1.3.0",database="counting_local_green_2"} 1',
			'deployment_color_live{color="blue",release="",database="counting_local_blue_1"} 0',
			'deployment_color_generation{color="green"} 2',
			'deployment_color_generation{color="blue"} 1',
			'deployment_migrations_applied{database="counting_local_green_2"} 1',
			'deployment_running_seconds{release="1.4.0"} 12.5',
			'deployment_last_result{outcome="completed"} 0',
			'deployment_last_result{outcome="failed"} 1',
			'deployment_last_result{outcome="rolled_back"} 0',
			"deployment_last_end_timestamp_seconds 1767225660",
			"deployment_last_duration_seconds 60",
			'deployment_last_rollback_timestamp_seconds{type="automatic"} 1767225600',
			'deployment_last_rollback_timestamp_seconds{type="manual"} 1767225700',
			'deployment_health_check{check="performance",color="green"} 1',
			'deployment_health_check{check="database_connectivity",color=""} 0',
			'deployment_replication_slot_active{link="counting_local_1_to_2",from="blue-1",to="green-2",direction="to_live"} 1',
			'deployment_replication_slot_active{link="counting_local_2_to_1",from="green-2",to="blue-1",direction="from_live"} 0',
			'deployment_replication_slot_lost{link="counting_local_1_to_2",from="blue-1",to="green-2",direction="to_live"} 0',
			'deployment_replication_slot_lost{link="counting_local_2_to_1",from="green-2",to="blue-1",direction="from_live"} 1',
			'deployment_replication_lag_bytes{link="counting_local_1_to_2",from="blue-1",to="green-2",direction="to_live"} 0',
			'deployment_replication_lag_bytes{link="counting_local_2_to_1",from="green-2",to="blue-1",direction="from_live"} 4096',
			'deployment_replication_lag_seconds{link="counting_local_2_to_1",from="green-2",to="blue-1",direction="from_live"} 0.25',
		]);
	});

	it("say that the catalog cannot be read, and nothing that is not known", async () => {
		assert.deepEqual(await samples({ links: [], faults: ["cannot connect"] }), ["deployment_catalog_up 0"]);
	});

	describe("served over HTTP", () => {
		let catalog: TestCatalog;

		beforeEach(async () => {
			catalog = await TestCatalog.make();
		});

		afterEach(() => catalog.drop());

		async function deploy(): Promise<void> {
			await catalog.mirror("in-place", true);
			const id = await openDeployment(catalog.client, {
				pipelineName: "counting_local",
				release: "1.3.0",
				environment: "staging",
				triggeredBy: "ana",
				config: {},
			});
			await closeDeployment(catalog.client, id, { status: "completed" });
		}

		/** Serves what is observed for as long as `work` lasts. */
		async function serving<T>(
			look: () => Promise<Observation>,
			work: (get: (path: string) => Promise<Response>) => Promise<T>,
			onRequest = async () => {},
		): Promise<T> {
			const server = createMetricsServer(look);
			server.addHook("onRequest", onRequest);
			const address = await server.listen({ host: "127.0.0.1", port: 0 });
			try {
				return await work((path) => fetch(address + path));
			} finally {
				await server.close();
			}
		}

		it("are read anew for each scrape", async () => {
			await deploy();
			const access = { catalog: catalog.database.owner, servers: { blue: catalog.database.superuser } };
			await serving(
				() => observe(access),
				async (get) => {
					const first = await get("/metrics");
					assert.equal(first.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
					assert.ok(samplesOf(await first.text()).includes('deployments_month{environment="staging"} 1'));
					await deploy();
					const second = await (await get("/metrics")).text();
					assert.ok(samplesOf(second).includes('deployments_month{environment="staging"} 2'));
					assert.deepEqual(await (await get("/healthz")).json(), { status: "ok" });
					assert.equal((await get("/")).status, 404);
				},
			);
		});

		it("are answered while neither catalog nor server can be reached", async () => {
			const away = { ...catalog.database.owner, port: 1 };
			await serving(
				() => observe({ catalog: away, servers: { blue: away, green: away } }),
				async (get) => {
					const reply = await get("/metrics");
					assert.equal(reply.status, 200);
					assert.deepEqual(samplesOf(await reply.text()), ["deployment_catalog_up 0"]);
				},
			);
		});

		it("are looked for once for all scrapes that come meanwhile", async () => {
			let looks = 0;
			let answer = (_: Observation) => {};
			const look = () => {
				looks += 1;
				return new Promise<Observation>((resolve) => {
					answer = resolve;
				});
			};
			let requests = 0;
			await serving(
				look,
				async (get) => {
					const all = Promise.all([get("/metrics"), get("/metrics"), get("/metrics")]);
					await until("all scrapes have come", () => requests === 3 || undefined);
					// Their handlers follow in this turn.
					await setImmediate();
					answer(fullObservation);
					const replies = await all;
					assert.deepEqual(
						replies.map(({ status }) => status),
						[200, 200, 200],
					);
					assert.equal(looks, 1);
				},
				async () => {
					requests += 1;
				},
			);
		});
	});
});
