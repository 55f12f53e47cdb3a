import pino from "pino";
import { ConfigError, readConfig, type ServiceConfig } from "./config";
import { openDatabase } from "./database";
import { releaseFeatures } from "./schema-version";
import { createServer } from "./server";
import { warmUp } from "./warm-up";

async function run(config: ServiceConfig): Promise<void> {
	const log = pino({ level: config.logLevel, base: { release: config.release } });
	const database = openDatabase(config, log);
	const app = createServer(config, database, log);
	await app.listen({
		host: config.host,
		port: config.port,
		listenTextResolver: (address) => `listening at ${address}`,
	});

	async function stop(signal: string): Promise<void> {
		log.info({ signal }, "stopping");
		const deadline = setTimeout(() => {
			log.warn(
				{ seconds: config.drainTimeoutSeconds },
				"requests were still running at the deadline: cut off",
			);
			process.exit(0);
		}, config.drainTimeoutSeconds * 1000);
		await app.close();
		await database.close();
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
