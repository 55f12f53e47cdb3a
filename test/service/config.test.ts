import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, readConfig } from "../../service/config";
import { sessionOf } from "../../service/database";
import { Program } from "./program";
import { queueEnvironment, serviceEnvironment } from "./running-service";

const DATABASE = {
	host: "127.0.0.1",
	port: 5432,
	database: "counting",
	user: "app",
	password: "s3cret-word",
	sslMode: "disable",
} as const;

describe("the service's environment", () => {
	it("has defaults for what is not essential", () => {
		assert.deepEqual(readConfig(serviceEnvironment(DATABASE, { PORT: "8080" })), {
			host: "127.0.0.1",
			port: 8080,
			instance: null,
			release: "1.3.0",
			requiredSchema: "1.3.0",
			compatibility: "same-major",
			poolSize: 10,
			drainTimeoutSeconds: 10,
			statementTimeoutMs: 10_000,
			logLevel: "info",
			debugMode: false,
			database: DATABASE,
			cache: { namespace: "service", entries: 1000, ttlMs: 30_000 },
			queue: undefined,
		});
	});

	it("takes passwords from files, which an environment does not show", () => {
		const directory = mkdtempSync(join(tmpdir(), "service-config-"));
		try {
			const file = join(directory, "password");
			writeFileSync(file, "from-a-file\n");
			const { PGPASSWORD, ...rest } = serviceEnvironment(DATABASE, { PORT: "8080" });
			assert.equal(PGPASSWORD, "s3cret-word");
			assert.equal(readConfig({ ...rest, PGPASSWORD_FILE: file }).database.password, "from-a-file");
			const missing = join(directory, "missing");
			assert.throws(
				() => readConfig({ ...rest, PGPASSWORD, PGPASSWORD_FILE: file, QUEUE_PGPASSWORD_FILE: missing }),
				{
					name: "ConfigError",
					message:
						"the service's environment is not valid:\n" +
						"  PGPASSWORD and PGPASSWORD_FILE are both set: leave one out\n" +
						`  QUEUE_PGPASSWORD_FILE is "${missing}": name a file with the password that the service can read ` +
						`(ENOENT: no such file or directory, open '${missing}')`,
				},
			);
		} finally {
			rmSync(directory, { recursive: true, force: true });
		}
	});

	it("checks its servers by the certificates of a file where one is named", () => {
		const directory = mkdtempSync(join(tmpdir(), "service-config-"));
		try {
			const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
			const file = join(directory, "rds.pem");
			const environment = serviceEnvironment(
				{ ...DATABASE, sslMode: "verify-full" },
				{ PORT: "8080", PGSSLROOTCERT: file },
			);
			const missing = {
				name: "ConfigError",
				message:
					"the service's environment is not valid:\n" +
					`  PGSSLROOTCERT is "${file}": set it to a file of certificates (PEM) that the service can read, or leave it out`,
			};
			assert.throws(() => readConfig(environment), missing);
			writeFileSync(file, "no certificate");
			assert.throws(() => readConfig(environment), missing);
			writeFileSync(file, pem);
			const { database } = readConfig(environment);
			assert.deepEqual(sessionOf(database, "1.3.0").ssl, { rejectUnauthorized: true, ca: pem });
			const { certificates: _, ...unnamed } = database;
			assert.deepEqual(sessionOf(unnamed, "1.3.0").ssl, { rejectUnauthorized: true });
		} finally {
			rmSync(directory, { recursive: true, force: true });
		}
	});

	it("names the queue's database for a release that has a queue", () => {
		const environment = serviceEnvironment(DATABASE, { PORT: "8080", REQUIRED_SCHEMA: "1.4.0" });
		assert.throws(() => readConfig({ ...environment, QUEUE_PGPASSWORD: "s3cret-word" }), {
			message:
				"the service's environment is not valid:\n" +
				"  QUEUE_PGHOST is not set: set it to the queue's database server\n" +
				"  QUEUE_PGPORT is not set: set it to a whole number from 1 to 65535\n" +
				"  QUEUE_PGDATABASE is not set: set it to the name of the queue's database\n" +
				"  QUEUE_PGUSER is not set: set it to the role to connect to it as\n" +
				"  QUEUE_PGSSLMODE is not set: set it to one of disable, require, verify-full",
		});
		const queue = { ...DATABASE, database: "jobs" };
		assert.deepEqual(readConfig({ ...environment, ...queueEnvironment(queue) }).queue, {
			database: queue,
			maxJobs: 1000,
			tries: 6,
			jobTimeoutSeconds: 60,
			keepSeconds: 604_800,
		});
	});

	it("is refused as a whole, with every variable that is missing or wrong", () => {
		assert.throws(
			() =>
				readConfig({
					PORT: "70000",
					RELEASE: "v1.3",
					REQUIRED_SCHEMA: "0.9.0",
					SCHEMA_COMPATIBILITY: "none",
					POOL_SIZE: "0",
					LOG_LEVEL: "loud",
					DEBUG_MODE: "yes",
					PGHOST: "",
					PGPASSWORD: "s3cret-word",
				}),
			(error: Error) => {
				assert.ok(error instanceof ConfigError);
				assert.deepEqual(error.message.split("\n"), [
					"the service's environment is not valid:",
					'  PORT is "70000": set it to a whole number from 0 to 65535',
					'  RELEASE is "v1.3": set it to the version of this release, as in 1.3.0',
					'  REQUIRED_SCHEMA is "0.9.0": set it to 1.0.0 or newer: the first schema that has cameras',
					'  SCHEMA_COMPATIBILITY is "none": set it to one of same-major, any-newer',
					'  POOL_SIZE is "0": set it to a whole number from 1 to 1000',
					'  LOG_LEVEL is "loud": set it to one of debug, info, warn, error',
					'  DEBUG_MODE is "yes": set it to one of true, false',
					'  PGHOST is "": set it to the database server\'s name or address',
					"  PGPORT is not set: set it to a whole number from 1 to 65535",
					"  PGDATABASE is not set: set it to the name of the database",
					"  PGUSER is not set: set it to the role to connect as",
					"  PGSSLMODE is not set: set it to one of disable, require, verify-full",
				]);
				return true;
			},
		);
	});

	it("ends the process with 1 and the reasons when it is wrong", async () => {
		const program = Program.start("service/main.ts", [], serviceEnvironment(DATABASE, { PORT: "http" }));
		assert.equal(await program.exitCode(), 1);
		assert.equal(
			program.output,
			"the service's environment is not valid:\n" +
				'  PORT is "http": set it to a whole number from 0 to 65535\n',
		);
	});
});
