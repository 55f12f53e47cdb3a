import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { detachNode } from "../../components/replication/detach";
import { forsakenLinks, sweepForsakenLinks } from "../../components/replication/leftovers";
import { linkName } from "../../components/replication/node";
import { testServer } from "../support/postgres";
import { assertConverged } from "../traffic/crash/converged";
import { Victims } from "../traffic/crash/killed";
import { Pair } from "../traffic/crash/pair";
import { Traffic } from "../traffic/crash/traffic";
import { Random } from "../traffic/workload/random";

const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const RANDOM_KILLS = 6;
const STEPS = [
	"clear",
	"schema",
	"preflight",
	"identities",
	"publication",
	"truncate",
	"drop indexes",
	"slot",
	"copy",
	"verify",
	"indexes",
	"analyze",
	"subscription",
	"catch up",
];

describe(`a colour that is put in step by a process that is killed (SEED=${SEED})`, () => {
	const victims = new Victims();
	let pair: Pair;
	let traffic: Traffic;

	before(async () => {
		pair = await Pair.start(await testServer());
		traffic = new Traffic(pair);
	});

	beforeEach(() => pair.addIdle());

	/** Each time all that it made on the live side goes with it. */
	afterEach(async () => {
		await pair.dropIdle();
		await assertConverged(pair, traffic.ledger, "none");
	});

	after(async () => {
		victims.end();
		await pair.remove();
	});

	const copy = () => ({ copy: pair.copyOrder() });

	for (const [order, steps] of [
		["a step further each time", STEPS],
		// Once there is a subscription, the copy is not begun anew.
		["a step earlier each time", STEPS.slice(0, -1).reverse()],
	] as const) {
		it(`${order} is in step after the next update, and takes the traffic`, async () => {
			await traffic.during(async () => {
				for (const step of steps) {
					await victims.killAt(step, copy());
				}
				await pair.putInStep();
			});
			await assertConverged(pair, traffic.ledger, "forward");
			assert.equal(await pair.putInStep(), false);
			await traffic.during(() => pair.move(pair.idle!));
			await assertConverged(pair, traffic.ledger, "both");
		});
	}

	it("at any moment is in step after the next update", async () => {
		const random = new Random(SEED);
		const started = performance.now();
		await pair.putInStep();
		const typical = performance.now() - started;
		await pair.dropIdle();
		await pair.addIdle();
		await traffic.during(async () => {
			for (let kill = 0; kill < RANDOM_KILLS; kill++) {
				if (!(await victims.killAfter(random.next() * typical, copy()))) {
					break;
				}
			}
			await pair.putInStep();
		});
		await assertConverged(pair, traffic.ledger, "forward");
	});

	for (const step of ["preflight", "publication", "copy", "indexes", "subscription", "catch up"]) {
		it(`before the step "${step}" leaves nothing on the live colour once it is given up`, async () => {
			await traffic.during(async () => {
				await victims.killAt(step, copy());
				const { color, generation } = pair.idle!.node;
				await detachNode(pair.servers, color, generation);
			});
			await assertConverged(pair, traffic.ledger, "none");
		});
	}

	for (const step of ["slot", "copy", "catch up"]) {
		it(`before the step "${step}" is found out and taken away without anybody having it on record`, async () => {
			const { base, generation } = pair.live.node;
			const kept = [generation];
			await traffic.during(async () => {
				await victims.killAt(step, copy());
				const left = [linkName({ base, generation }, pair.idle!.node)];
				assert.deepEqual(await forsakenLinks(pair.servers, [...kept, pair.idle!.node.generation]), []);
				assert.deepEqual(await forsakenLinks(pair.servers, kept), left);
				assert.deepEqual(await sweepForsakenLinks(pair.servers, kept, () => {}), left);
				assert.deepEqual(await sweepForsakenLinks(pair.servers, kept, () => {}), []);
			});
			await assertConverged(pair, traffic.ledger, "none");
		});
	}
});
