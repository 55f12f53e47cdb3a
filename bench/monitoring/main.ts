import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "pg";
import { type Connection, connect } from "../../components/database/connection";
import { ensureServer, removeServer, superuserConnection } from "../../components/database/local/server";
import { readDeploymentStatus } from "../../components/monitoring/deployment-status";
import { metricsOf } from "../../components/monitoring/metrics";
import { makeCatalog } from "./corpus";
import { type Figures, FLOOR, writeReport } from "./report";

const SIZES = [1000, 100_000];
const ROUNDS = Number(process.env.ROUNDS ?? 200);
const WARM_UP = 10;
const REPORT = join(__dirname, "../../docs/benchmarks/monitoring.md");

/** What is measured, each on one connection that is there already. */
const CONTENDERS: Record<string, (client: Client) => Promise<unknown>> = {
	[FLOOR]: (client) => client.query("SELECT 1"),
	"one aggregate over the whole table": (client) =>
		client.query(
			`SELECT environment, count(*), avg(extract(epoch FROM completed_at - started_at))
			FROM deployment_pipelines GROUP BY environment`,
		),
	"get_deployment_health()": (client) => client.query("SELECT get_deployment_health()"),
	deployment_metrics: (client) => client.query("SELECT * FROM deployment_metrics"),
	"deployment_performance, the last ten": (client) =>
		client.query(
			"SELECT * FROM deployment_performance ORDER BY completed_at DESC, pipeline_id DESC LIMIT 10",
		),
	"the whole status (readDeploymentStatus)": (client) => readDeploymentStatus(client),
	"a scrape, from the catalog to its text": async (client) =>
		metricsOf({ status: await readDeploymentStatus(client), links: [], faults: [] }).metrics(),
};

async function main(): Promise<void> {
	const load = loadavg()[0] ?? 0;
	const directory = mkdtempSync(join(tmpdir(), "counting-bench-"));
	chmodSync(directory, 0o755);
	const password = randomBytes(12).toString("hex");
	const { port } = await ensureServer({ directory, password, maxConnections: 50, timeoutSeconds: 60 });
	try {
		const admin = superuserConnection(port, password);
		const figures: Figures[] = [];
		for (const deployments of SIZES) {
			const indexed = await makeCatalog(admin, deployments, true);
			const bare = await makeCatalog(admin, deployments, false);
			figures.push({ deployments, ...(await measure(indexed, bare)) });
		}
		const machine = `${cpus().length} cores, load average ${load.toFixed(1)} at the start`;
		const text = writeReport(figures, { rounds: ROUNDS, machine });
		writeFileSync(REPORT, text);
		console.log(text);
	} finally {
		await removeServer(directory, 30);
		rmSync(directory, { recursive: true, force: true });
	}
}

/** In turn, so that no contender has the quieter machine. */
async function measure(indexed: Connection, bare: Connection): Promise<Omit<Figures, "deployments">> {
	const session = { applicationName: "bench" };
	const clients = { indexed: await connect(indexed, session), bare: await connect(bare, session) };
	const times = { indexed: new Map<string, number[]>(), bare: new Map<string, number[]>() };
	try {
		for (let round = -WARM_UP; round < ROUNDS; round++) {
			for (const kind of ["indexed", "bare"] as const) {
				for (const [name, work] of Object.entries(CONTENDERS)) {
					const begin = performance.now();
					await work(clients[kind]);
					const took = performance.now() - begin;
					if (round >= 0) {
						times[kind].set(name, [...(times[kind].get(name) ?? []), took]);
					}
				}
			}
		}
	} finally {
		await clients.indexed.end();
		await clients.bare.end();
	}
	return times;
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
