import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { observeNodes } from "../../components/replication/environment";
import { dropLink } from "../../components/replication/link";
import { nodeName, withNode } from "../../components/replication/node";
import { restoreIdentities } from "../../components/replication/replica-identity";
import { GatewayRouter } from "../../components/traffic/local/gateway-router";
import { endStandstill, isAtStandstill, type StandstillOptions } from "../../components/traffic/standstill";
import { testServer } from "../support/postgres";
import { assertConverged, openColors } from "./crash/converged";
import { Victims } from "./crash/killed";
import { Pair, type PairColor } from "./crash/pair";
import { Traffic } from "./crash/traffic";
import { Random } from "./workload/random";

const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const RANDOM_KILLS = 6;
const STEPS = [
	"guard",
	"way back",
	"hold",
	"close",
	"last write",
	"keep closed",
	"open",
	"route",
	"release",
] as const;
/** From here on the colour before is closed for good. */
const CLOSED_FOR_GOOD = STEPS.indexOf("open");

describe(`a cutover that is killed (SEED=${SEED})`, () => {
	const victims = new Victims();
	let pair: Pair;
	let traffic: Traffic;

	before(async () => {
		pair = await Pair.start(await testServer());
		await pair.addIdle();
		await pair.putInStep();
		traffic = new Traffic(pair);
	});

	after(async () => {
		victims.end();
		await pair.remove();
	});

	const converged = () => assertConverged(pair, traffic.ledger, "both");
	const moveToIdle = () => ({ move: pair.moveOrder(pair.idle!) });

	/** The next update, in this process. Returns what it had to do. */
	async function update(to: PairColor): Promise<string> {
		const { what } = await pair.move(to);
		assert.equal((await pair.gateway.client.status()).hold, null);
		assert.deepEqual(await openColors(pair), [to.node.color]);
		return what;
	}

	/** As before the first cutover to a colour: there is no way back from it yet. */
	async function withoutWayBack(): Promise<void> {
		const { node } = pair.idle!;
		await dropLink(node, pair.live.node);
		await withNode(node, "test", (client) => restoreIdentities(client, 10_000));
	}

	for (const [index, step] of STEPS.entries()) {
		it(`before the step "${step}" is brought to its end by the next update`, async () => {
			await withoutWayBack();
			await traffic.during(async () => {
				await victims.killAt(step, moveToIdle());
				assert.ok((await openColors(pair)).length <= 1);
				assert.equal(await update(pair.idle!), index > CLOSED_FOR_GOOD ? "routed" : "switched");
			});
			await converged();
		});

		it(`before the step "${step}" is taken back when the release is put back instead`, async () => {
			await traffic.during(async () => {
				await victims.killAt(step, moveToIdle());
				assert.equal(await update(pair.live), index > CLOSED_FOR_GOOD ? "switched" : "routed");
			});
			await converged();
		});
	}

	for (const [step, open] of [
		["keep closed", "live"],
		["open", "live"],
		["route", "idle"],
	] as const) {
		it(`before the step "${step}" accepts writes again before the next update has done anything else`, async () => {
			const { live, idle } = pair;
			const options: StandstillOptions = {
				servers: pair.servers,
				router: Object.assign(new GatewayRouter(pair.gateway.statePath), {
					targetsOf: async (name: string) =>
						[live, idle!].filter(({ node }) => nodeName(node) === name).map(({ target }) => target),
				}),
			};
			const isStanding = async () => isAtStandstill(await observeNodes(pair.servers), options);
			assert.equal(await isStanding(), false);
			await traffic.during(async () => {
				await victims.killAt(step, moveToIdle());
				assert.equal(await isStanding(), true);
				await endStandstill({ ...options, log: () => {} });
				assert.equal(await isStanding(), false);
				assert.deepEqual(await openColors(pair), [pair[open]!.node.color]);
				const { active, hold } = await pair.gateway.client.status();
				assert.deepEqual({ active, hold }, { active: pair[open]!.target.targetGroup, hold: null });
				assert.equal(await update(pair[open]!), "routed");
			});
			await converged();
		});
	}

	for (const step of ["close", "keep closed"]) {
		it(`before the step "${step}" leaves a colour that accepts writes again by itself`, async () => {
			const pauseTimeoutMs = 5000;
			const lease = pauseTimeoutMs + 3000;
			await traffic.during(async () => {
				await victims.killAt(step, { move: pair.moveOrder(pair.idle!, { pauseTimeoutMs }) });
				const waited = await traffic.untilAcknowledged(2 * lease);
				assert.ok(waited < lease + 1000, `${waited} ms`);
				assert.deepEqual(await openColors(pair), [pair.live.node.color]);
			});
			await traffic.during(() => update(pair.live));
			await converged();
		});
	}

	it("again and again at any moment ends where the last update wants it", async () => {
		const random = new Random(SEED);
		const started = performance.now();
		await pair.move(pair.idle!);
		const typical = performance.now() - started;
		for (let kill = 0; kill < RANDOM_KILLS; kill++) {
			const told = await traffic.during(async () => {
				const after = Math.round(random.next() * typical * 1.5);
				const killed = await victims.killAfter(after, moveToIdle());
				const to = random.chance(0.5) ? pair.idle! : pair.live;
				return `${killed ? "killed" : "done"} after ${after} ms, then ${await update(to)}`;
			});
			await converged().catch((error: Error) => {
				throw new Error(`${told}: ${error.message}`, { cause: error });
			});
		}
	});
});
