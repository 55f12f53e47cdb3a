import assert from "node:assert/strict";
import type { Client } from "pg";
import { connect } from "../../components/database/connection";
import { dropLink } from "../../components/replication/link";
import { linkName, nodeName, withNode } from "../../components/replication/node";
import { restoreIdentities } from "../../components/replication/replica-identity";
import { GatewayRouter } from "../../components/traffic/local/gateway-router";
import type { MoveOptions } from "../../components/traffic/move-traffic";
import { testServer } from "../support/postgres";
import { assertConverged, openColors } from "./crash/converged";
import { Pair, type PairColor, statements } from "./crash/pair";
import { Traffic } from "./crash/traffic";

/** What goes wrong once requests wait, and what is done against it. */
interface Fault {
	limits?: Partial<MoveOptions["limits"]>;
	/** Comes before the gateway is told to hold requests. */
	onHold?(): Promise<void>;
	router?: Partial<Pick<GatewayRouter, "prepare" | "hold" | "route" | "release">>;
	mend?(): Promise<void>;
}

describe("a cutover in which something goes wrong", () => {
	let pair: Pair;
	let traffic: Traffic;

	before(async () => {
		pair = await Pair.start(await testServer());
		await pair.addIdle();
		await pair.putInStep();
		traffic = new Traffic(pair);
	});

	after(() => pair.remove());

	/** Asserts that everything is as before, with and without a way back that was there before; then goes over for real. */
	async function assertPutBack(message: RegExp, fault: (to: PairColor) => Fault): Promise<void> {
		for (const links of ["both", "forward"] as const) {
			if (links === "forward") {
				await dropWayBack();
			}
			const to = pair.idle!;
			const { limits, mend, ...rest } = fault(to);
			await traffic.during(async () => {
				const options = pair.moveOrder(to, limits).limits;
				try {
					await assert.rejects(pair.move(to, { limits: options, router: faulty(rest) }), { message });
					assert.deepEqual(await openColors(pair), [pair.live.node.color]);
					assert.equal((await pair.gateway.client.status()).hold, null);
				} finally {
					await mend?.();
				}
				assert.ok((await traffic.untilAcknowledged(5000)) < 5000);
			});
			await assertConverged(pair, traffic.ledger, links);
		}
		await traffic.during(() => pair.move(pair.idle!));
		await assertConverged(pair, traffic.ledger, "both");
	}

	before(() => traffic.during(() => pair.move(pair.idle!)));

	async function dropWayBack(): Promise<void> {
		const { node } = pair.idle!;
		await dropLink(node, pair.live.node);
		await withNode(node, "test", (client) => restoreIdentities(client, 10_000));
	}

	function faulty({ onHold, router = {} }: Fault): GatewayRouter {
		const real = new GatewayRouter(pair.gateway.statePath);
		const hold = real.hold.bind(real);
		return Object.assign(real, {
			hold: async (limits: Parameters<typeof hold>[0]) => {
				await onHold?.();
				return hold(limits);
			},
			...router,
		});
	}

	const fail = (what: string) => async () => {
		throw new Error(what);
	};

	it("leaves it be when the new side's service is not healthy", async () => {
		await assertPutBack(/^cutover step "guard": not healthy$/, () => ({
			router: { prepare: fail("not healthy") },
		}));
	});

	it("leaves it be when a transaction stays open before it begins", async () => {
		let client: Client;
		await assertPutBack(
			/^cutover step "guard": the transaction of process \d+ \(slow, role \w+_app\), open for \d+ s, on \w+-\d+ did not end within 0\.2 s/,
			() => ({
				limits: { longTransactionMs: 200 },
				router: {
					prepare: async () => {
						client = await openTransaction();
						await client.query("SELECT pg_sleep(1.1)");
					},
				},
				mend: () => commit(client),
			}),
		);
	});

	it("leaves it be when requests cannot be held", async () => {
		await assertPutBack(/^cutover step "hold": the gateway is gone$/, () => ({
			router: { hold: fail("the gateway is gone") },
		}));
	});

	it("is taken back when a transaction that writes does not end in the time that requests may wait", async () => {
		let client: Client;
		await assertPutBack(
			/^cutover step "close": transactions that write were still open after \d+ ms; the oldest is process \d+ \(slow, role \w+_app\)/,
			() => ({
				limits: { pauseTimeoutMs: 1500 },
				onHold: async () => {
					client = await openTransaction();
				},
				mend: () => commit(client),
			}),
		);
	});

	it("is taken back when the last write does not arrive", async () => {
		await assertPutBack(/^cutover step "last write": the last write on \w+-\d+ has not arrived/, (to) => {
			const subscription = linkName(pair.live.node, to.node);
			return {
				limits: { pauseTimeoutMs: 3000 },
				onHold: () => statements(to.node.admin, `ALTER SUBSCRIPTION ${subscription} DISABLE`),
				mend: () => statements(to.node.admin, `ALTER SUBSCRIPTION ${subscription} ENABLE`),
			};
		});
	});

	it("is taken back when the old side cannot be kept closed", async () => {
		await assertPutBack(/^cutover step "keep closed": refused here$/, () => {
			const { admin } = pair.live.node;
			return {
				onHold: () => refuseFence(admin, "NEW.closed_until = 'infinity'"),
				mend: () => admitFence(admin),
			};
		});
	});

	it("is taken back when the connection to the old side is lost", async () => {
		await assertPutBack(/^cutover step "keep closed": .*terminat/, () => {
			const { admin } = pair.live.node;
			return {
				onHold: () =>
					refuseFence(
						admin,
						"NEW.closed_until = 'infinity'",
						"PERFORM pg_terminate_backend(pg_backend_pid())",
					),
				mend: () => admitFence(admin),
			};
		});
	});

	it("is taken back when the new side cannot be opened", async () => {
		await assertPutBack(/^cutover step "open": refused here$/, ({ node: { admin } }) => ({
			onHold: () => refuseFence(admin, "NEW.closed_until = '-infinity'"),
			mend: () => admitFence(admin),
		}));
	});

	it("is taken back, with what was written on the new side, when requests cannot be sent there", async () => {
		await assertPutBack(/^cutover step "route": no such route$/, () => ({
			limits: { pauseTimeoutMs: 4000 },
			router: { route: fail("no such route") },
		}));
	});

	it("is done when only the waiting requests cannot be let go, which then go by themselves", async () => {
		await traffic.during(async () => {
			const options = pair.moveOrder(pair.idle!, { pauseTimeoutMs: 4000 }).limits;
			await pair.move(pair.idle!, {
				limits: options,
				router: faulty({ router: { release: fail("the gateway is busy") } }),
			});
			assert.ok((await traffic.untilAcknowledged(8000)) < 8000);
		});
		await assertConverged(pair, traffic.ledger, "both");
		assert.ok(pair.told.includes("release: the gateway is busy"));
	});

	it("says what to do when the colour to go back to does not follow the one that has the traffic", async () => {
		await traffic.during(() => pair.move(pair.live));
		const to = pair.idle!;
		await dropLink(pair.live.node, to.node);
		const [from, there] = [nodeName(pair.live.node), nodeName(to.node)];
		const slot = `the replication slot ${linkName(pair.live.node, to.node)} is gone`;
		await assert.rejects(pair.move(to), {
			message:
				`cutover step "guard": ${there} catching up with ${from}: ${slot}; the traffic cannot go back to ${there} any more; ` +
				`to have its release again, give it a newer version: it is then built from a copy of ${from}`,
		});
		const between = {
			color: pair.live.node.color,
			generation: 99,
			release: "1.0.99",
			targetGroup: "-",
			url: "-",
		};
		await assert.rejects(pair.move(to, { idle: between }), {
			message:
				`${there} does not follow ${from}, which got the traffic by an update that did not come to its end: set the release ` +
				`to 1.0.99 (on ${between.color}-99) and run the update, then set it to ${to.release} and run it again`,
		});
		assert.deepEqual(await openColors(pair), [pair.live.node.color]);
	});

	/** A session of the live colour's application that has written. */
	async function openTransaction(): Promise<Client> {
		const { owner } = pair.live;
		const client = await connect({ ...owner, user: `${owner.database}_app` }, { applicationName: "slow" });
		await client.query("BEGIN; DELETE FROM events WHERE account < 0");
		return client;
	}

	/** It may go on: nobody has ended it. */
	async function commit(client: Client): Promise<void> {
		await client.query("COMMIT");
		await client.end();
	}
});

async function refuseFence(
	admin: PairColor["owner"],
	when: string,
	how = "RAISE EXCEPTION 'refused here'",
): Promise<void> {
	await statements(
		admin,
		`CREATE FUNCTION deployment.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${how}; RETURN NEW; END $$`,
		`CREATE TRIGGER refuse BEFORE UPDATE ON deployment.write_fence FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION deployment.refuse()`,
	);
}

async function admitFence(admin: PairColor["owner"]): Promise<void> {
	await statements(admin, "DROP FUNCTION deployment.refuse() CASCADE");
}
