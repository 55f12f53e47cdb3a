import assert from "node:assert/strict";
import type { CheckResult } from "../../components/health/check-result";
import { checkReplication } from "../../components/health/replication-lag";
import { runChecks } from "../../components/health/run-checks";
import type { LinkState } from "../../components/replication/link-state";
import { linkName, type Node, nodeName, withNode } from "../../components/replication/node";
import { type Pairing, pairingsOf, pairingsOfNew } from "../../components/replication/pairings";
import { testServer } from "../support/postgres";
import { until } from "../support/waiting";
import { WorkloadStack } from "../traffic/workload/stack";
import { subjectOf } from "./examined";

const going: LinkState = { stopped: false, streaming: true, lagBytes: 0 };

describe("the check of the replication", () => {
	const limits = { lagWarningBytes: 1000, lagWarningSeconds: 5, lagFailSeconds: 60 };
	const check = (...states: LinkState[]) =>
		checkReplication(
			states.map((state, index) => ({ title: `link ${index}`, state })),
			limits,
		);

	it("tells bytes and seconds of every link and judges the worst", () => {
		assert.deepEqual(check({ ...going, lagBytes: 12, lagSeconds: 0.25 }, { ...going, lagBytes: 1001 }), {
			check: "replication_lag",
			status: "WARNING",
			figure: 1001,
			unit: "bytes",
			detail: "link 0, 12 bytes and 0.3 s behind; link 1, 1001 bytes behind",
		});
	});

	it("warns and fails by the seconds as well", () => {
		assert.equal(check({ ...going, lagSeconds: 4.9 }).status, "PASS");
		assert.equal(check({ ...going, lagSeconds: 5 }).status, "WARNING");
		assert.equal(check({ ...going, lagSeconds: 60 }).status, "FAIL");
	});

	it("fails for a link that has stopped or is not connected, however little it is behind", () => {
		const { status, detail } = check(going, { ...going, stopped: true, fault: "the subscription stopped" });
		assert.deepEqual(
			[status, detail],
			["FAIL", "link 0, 0 bytes behind; link 1 no more: the subscription stopped"],
		);
		const apart = check({ ...going, streaming: false });
		assert.deepEqual([apart.status, apart.detail], ["FAIL", "link 0, but is not connected"]);
		const gone = check({
			...going,
			streaming: false,
			lagBytes: Number.POSITIVE_INFINITY,
			fault: "the slot is gone",
		});
		assert.deepEqual([gone.status, gone.figure], ["FAIL", undefined]);
	});

	it("passes for a colour on its own", () => {
		const { status, detail } = check();
		assert.deepEqual([status, detail], ["PASS", "there is no other colour to follow"]);
	});
});

describe("the links that a colour should have", () => {
	let stack: WorkloadStack;

	before(async () => {
		stack = await WorkloadStack.start(await testServer());
	});

	after(() => stack.remove());

	const titles = (pairings: readonly Pairing[] | undefined) =>
		pairings?.map(({ from, to }) => `${nodeName(from)} to ${nodeName(to)}`).sort();

	it("are none while there is one, then both ways, and one that stops fails the examination of either", async () => {
		assert.deepEqual(titles(await pairingsOf(stack.servers, stack.live.node)), []);
		await stack.release();
		const both = ["blue-1 to green-2", "green-2 to blue-1"];
		assert.deepEqual(titles(await pairingsOf(stack.servers, stack.live.node)), both);
		assert.deepEqual(titles(await pairingsOf(stack.servers, stack.idle!.node)), both);
		assert.equal(await pairingsOfNew(stack.servers, stack.idle!.node), undefined);
		await stack.release();
		const next = ["blue-3 to green-2", "green-2 to blue-3"];
		assert.deepEqual(titles(await pairingsOf(stack.servers, stack.live.node)), next);

		const idle = stack.idle!.node;
		await until("both links go on", async () => (await lag(idle)).status === "PASS" || undefined);
		const name = linkName(stack.live.node, idle);
		await withNode(idle, "test", (client) => client.query(`ALTER SUBSCRIPTION ${name} DISABLE`));
		const told = new RegExp(`green-2 follows blue-3 no more: the subscription ${name} stopped`);
		for (const node of [stack.live.node, idle]) {
			const { status, detail } = await lag(node);
			assert.equal(status, "FAIL");
			assert.match(detail, told);
		}
	});

	async function lag(node: Node): Promise<CheckResult> {
		const { live, servers } = stack;
		const results = await runChecks({
			subject: subjectOf(live.node.admin, live.owner),
			url: live.app.url,
			release: live.release,
			links: () => pairingsOf(servers, node),
		});
		return results.find(({ check }) => check === "replication_lag")!;
	}
});
