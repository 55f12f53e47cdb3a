import pino, { type Logger } from "pino";
import { ColorWatch } from "./color-watch";
import { ConfigError, readConfig, type ServiceConfig } from "./config";
import { type Database, openDatabase, openPool, sessionOf } from "./database";
import { IngestQueue } from "./queue/ingest-queue";
import { IngestWorker } from "./queue/ingest-worker";
import { releaseFeatures } from "./schema-version";
import { createServer } from "./server";
import { warmUp } from "./warm-up";

async function run(config: ServiceConfig): Promise<void> {
	const log = pino({ level: config.logLevel, base: { release: config.release } });
	const database = openDatabase(config, log);
	const watch = new ColorWatch(config, log);
	const queued = openQueue(config, database, watch, log);
	const app = createServer({ config, database, watch, ...queued }, log);
	await app.listen({
		host: config.host,
		port: config.port,
		listenTextResolver: (address) => `listening at ${address}`,
	});

	if (releaseFeatures(config).countingResults) {
		watch.start();
	}
	queued?.worker.start();

	async function stop(signal: string): Promise<void> {
		log.info({ signal }, "stopping");
		const deadline = setTimeout(() => {
			log.warn(
				{ seconds: config.drainTimeoutSeconds },
				"requests or a batch were still running at the deadline: cut off",
			);
			process.exit(0);
		}, config.drainTimeoutSeconds * 1000);
		await Promise.all([app.close(), queued?.worker.stop()]);
		await watch.close();
		await Promise.all([database.close(), queued?.queue.close()]);
		clearTimeout(deadline);
		log.info("stopped");
	}

	for (const signal of ["SIGTERM", "SIGINT"] as const) {
		process.once(signal, () => {
			stop(signal).catch((error: unknown) => {
				log.error({ err: error }, "the service could not stop in order");
				process.exit(1);
			});
		});
	}
	warmUp(app, config.poolSize, releaseFeatures(config)).catch((error: unknown) => {
		log.warn({ err: error }, "the warm-up did not come to its end");
	});
}

/** Two for requests, one for the worker. */
const QUEUE_POOL_SIZE = 3;
const LONGEST_MAINTENANCE_MS = 10_000;

function openQueue(
	config: ServiceConfig,
	database: Database,
	watch: ColorWatch,
	log: Logger,
): { queue: IngestQueue; worker: IngestWorker } | undefined {
	if (config.queue === undefined) {
		return undefined;
	}
	const session = sessionOf(config.queue.database, config.release);
	const queue = new IngestQueue(
		config.queue,
		openPool(session, log, QUEUE_POOL_SIZE, config.statementTimeoutMs),
		log,
	);
	const maintainEveryMs = Math.min(LONGEST_MAINTENANCE_MS, config.queue.jobTimeoutSeconds * 500);
	const pool = database.requests;
	return { queue, worker: new IngestWorker({ queue, pool, watch, log, maintainEveryMs }) };
}

function refuseToStart(reason: string): never {
	process.stderr.write(`${reason}\n`);
	process.exit(1);
}

function readEnvironment(): ServiceConfig {
	try {
		return readConfig(process.env);
	} catch (error) {
		if (error instanceof ConfigError) {
			return refuseToStart(error.message);
		}
		throw error;
	}
}

const config = readEnvironment();
run(config).catch((error: NodeJS.ErrnoException) => {
	const address = `${config.host}:${config.port}`;
	refuseToStart(
		error.code === "EADDRINUSE"
			? `port ${config.port} on ${config.host} is taken by another program: end that program or set PORT to a free one`
			: `the service cannot listen on ${address}: ${error.message}`,
	);
});
