import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureServer, removeServer, superuserConnection } from "../../components/database/local/server";
import { testServer } from "../support/postgres";
import { runSchedules } from "./workload/schedules";

const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const ROUNDS = 9;
const SCHEDULES = 10;
const SCHEDULES_ON_TWO = 10;

describe(`releases and rollbacks at random moments under random writers (SEED=${SEED})`, () => {
	for (let round = 0; round < ROUNDS; round++) {
		it(`keep every acknowledged write exactly once, on one server (${round + 1} of ${ROUNDS})`, async () => {
			const figures = await runSchedules({ blue: await testServer() }, SEED + round, SCHEDULES);
			assert.equal(figures.schedules, SCHEDULES);
			assert.equal(figures.unknown, 0, JSON.stringify(figures));
			assert.ok(figures.acknowledged > SCHEDULES * 10, JSON.stringify(figures));
		});
	}

	it("keep every acknowledged write exactly once, on two servers", async () => {
		const directory = mkdtempSync(join(tmpdir(), "counting-second-"));
		// For PostgreSQL's own account, when root runs the tests.
		chmodSync(directory, 0o755);
		try {
			const password = randomBytes(12).toString("hex");
			const { port } = await ensureServer({ directory, password, maxConnections: 100, timeoutSeconds: 60 });
			const servers = { blue: await testServer(), green: superuserConnection(port, password) };
			const figures = await runSchedules(servers, SEED + ROUNDS, SCHEDULES_ON_TWO);
			assert.equal(figures.schedules, SCHEDULES_ON_TWO);
			assert.equal(figures.unknown, 0, JSON.stringify(figures));
		} finally {
			await removeServer(directory, 30);
			rmSync(directory, { recursive: true, force: true });
		}
	});
});
