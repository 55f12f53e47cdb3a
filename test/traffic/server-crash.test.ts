import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	ensureServer,
	type LocalServerOptions,
	removeServer,
	superuserConnection,
} from "../../components/database/local/server";
import { letLinksGoOn } from "../../components/replication/leftovers";
import type { Color } from "../../components/replication/node";
import { putInStep } from "../../components/replication/put-in-step";
import { assertConverged, openColors } from "./crash/converged";
import { Pair } from "./crash/pair";
import { Traffic } from "./crash/traffic";

const CUTOVER_STEPS = ["way back", "close", "keep closed", "open", "route"];

/** A server that can be ended as by a crash. */
class Server {
	private readonly options: LocalServerOptions;

	constructor() {
		const directory = mkdtempSync(join(tmpdir(), "counting-crash-"));
		// For PostgreSQL's own account, when root runs the tests.
		chmodSync(directory, 0o755);
		const password = randomBytes(12).toString("hex");
		this.options = { directory, password, maxConnections: 60, timeoutSeconds: 60 };
	}

	async start() {
		const { port } = await ensureServer(this.options);
		return superuserConnection(port, this.options.password);
	}

	/** Its children notice by themselves. */
	kill(): void {
		const file = join(this.options.directory, "postgres", "data", "postmaster.pid");
		process.kill(Number(readFileSync(file, "utf8").split("\n")[0]), "SIGKILL");
	}

	async remove(): Promise<void> {
		await removeServer(this.options.directory, 30);
		rmSync(this.options.directory, { recursive: true, force: true });
	}
}

describe("a server that is killed", () => {
	const blue = new Server();
	const green = new Server();
	const serverOf = (color: Color) => (color === "blue" ? blue : green);
	let pair: Pair;
	let traffic: Traffic;

	before(async () => {
		const [first, second] = await Promise.all([blue.start(), green.start()]);
		pair = await Pair.start(first, second);
		traffic = new Traffic(pair);
	});

	after(async () => {
		await pair.remove();
		await Promise.all([blue.remove(), green.remove()]);
	});

	for (const [which, steps] of [
		["live", ["identities", "copy", "indexes", "subscription"]],
		["idle", ["schema", "copy", "indexes", "catch up"]],
	] as const) {
		it(`below the ${which} colour in the middle of a copy lets the next update make it`, async () => {
			await pair.dropIdle();
			await pair.addIdle();
			const server = serverOf(pair[which]!.node.color);
			await traffic.during(async () => {
				for (const at of steps) {
					const copy = putInStep({
						...pair.copyOrder(),
						log: () => {},
						step: async (step) => {
							if (step === at) {
								server.kill();
							}
						},
					});
					await assert.rejects(copy, Error, `killed at the step ${at}`);
					await server.start();
				}
				await pair.putInStep();
			});
			await assertConverged(pair, traffic.ledger, "forward");
			await traffic.during(() => pair.move(pair.idle!));
			await assertConverged(pair, traffic.ledger, "both");
		});
	}

	for (const which of ["live", "idle"] as const) {
		for (const at of CUTOVER_STEPS) {
			it(`below the ${which} colour at the step "${at}" of a cutover lets the next update make it`, () =>
				killDuringCutover(pair, traffic, at, serverOf(pair[which]!.node.color)));
		}
	}

	for (const which of ["live", "idle"] as const) {
		it(`below the ${which} colour, when no update is under way, does not part the colours`, async () => {
			await letLinksGoOn(pair.servers);
			const server = serverOf(pair[which]!.node.color);
			server.kill();
			await server.start();
			await traffic.during(() => traffic.untilAcknowledged(5000));
			await assertConverged(pair, traffic.ledger, "both");
		});
	}

	it("below both colours in the middle of a cutover lets the next update make it", async () => {
		const both = await Pair.start(await blue.start());
		try {
			const writes = new Traffic(both);
			await both.addIdle();
			await both.putInStep();
			for (const at of ["close", "keep closed", "open", "route"]) {
				await killDuringCutover(both, writes, at, blue);
			}
		} finally {
			await both.remove();
		}
	});
});

async function killDuringCutover(pair: Pair, traffic: Traffic, at: string, server: Server): Promise<void> {
	const to = pair.idle!;
	await traffic.during(async () => {
		const step = (name: string) => {
			if (name === at) {
				server.kill();
			}
		};
		// Once the other side is open, it can do without the one before.
		await pair.move(to, { step }).catch((error: Error) => {
			assert.match(error.message, /^cutover step "/);
		});
		await server.start();
		assert.ok((await openColors(pair)).length <= 1);
		await pair.move(to);
	});
	await assertConverged(pair, traffic.ledger, "both");
}
