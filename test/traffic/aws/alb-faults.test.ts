import assert from "node:assert/strict";
import { findFreePort } from "../../../components/local/port";
import { openAlbRouter } from "../../../components/traffic/aws/open";
import { RouterUnreachable } from "../../../components/traffic/routing";
import { type Answer, type Asked, FaultyAws, fault, listener, targetHealth } from "./faulty-aws";
import { REGION } from "./load-balancer";
import { CREDENTIALS } from "./moto";

const address = {
	region: REGION,
	listenerArn: "arn:listener",
	loadBalancer: "app/counting/1",
	colors: {
		blue: {
			targetGroupArn: "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/blue/1",
			url: "https://x:8443",
		},
		green: {
			targetGroupArn: "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/green/2",
			url: "https://x:8444",
		},
	},
};
const green = { targetGroup: "green", url: address.colors.green.url };

describe("a load balancer of AWS as the router, on a stand-in that fails as AWS can", () => {
	let aws: FaultyAws | undefined;

	before(() => {
		Object.assign(process.env, CREDENTIALS);
	});

	afterEach(async () => {
		await aws?.stop();
		aws = undefined;
	});

	after(() => {
		for (const name of Object.keys(CREDENTIALS)) {
			delete process.env[name];
		}
	});

	async function routerOn(answer: (asked: Asked, count: number) => Answer, clock?: () => Date) {
		aws = await FaultyAws.start(answer);
		return openAlbRouter(address, aws.endpoint, clock);
	}

	it("waits until every target is healthy, and passes over those that leave", async () => {
		const answers = [
			targetHealth({ id: "10.0.0.1", state: "initial" }),
			targetHealth(
				{ id: "10.0.0.1", state: "healthy" },
				{ id: "10.0.0.2", state: "healthy" },
				{ id: "10.0.0.9", state: "draining" },
			),
		];
		const router = await routerOn((_asked, count) => answers[Math.min(count, answers.length) - 1]!);
		await router.prepare(green, 10_000);
		assert.equal(aws?.asked.length, 2);
		assert.match(aws?.asked[0]?.body ?? "", /Action=DescribeTargetHealth/);
	});

	it("tells which targets are unhealthy, and why", async () => {
		const router = await routerOn(() =>
			targetHealth(
				{ id: "10.0.0.1", state: "healthy" },
				{ id: "10.0.0.2", state: "unhealthy", reason: "Target.ResponseCodeMismatch" },
			),
		);
		await assert.rejects(
			router.prepare(green, 50),
			/unhealthy after 50 ms: 10\.0\.0\.1:8080 is healthy; 10\.0\.0\.2:8080 is unhealthy \(Target\.ResponseCodeMismatch\)/,
		);
	});

	it("asks again when AWS says that there are too many requests", async () => {
		const router = await routerOn((_asked, count) =>
			count === 1
				? fault(400, "Throttling", "Rate exceeded")
				: listener("Describe", { [address.colors.green.targetGroupArn]: 100 }),
		);
		assert.deepEqual(await router.active(), green);
		assert.equal(aws?.asked.length, 2);
	});

	it("tells a switch that was taken back by somebody else", async () => {
		const router = await routerOn(({ action }) =>
			action === "ModifyListener"
				? listener("Modify", { [address.colors.green.targetGroupArn]: 100 })
				: listener("Describe", { [address.colors.blue.targetGroupArn]: 100 }),
		);
		await assert.rejects(router.route(green), /was told to send requests to green and sends them to blue/);
		const modified = aws?.asked.filter(({ action }) => action === "ModifyListener") ?? [];
		assert.equal(modified.length, 1);
		const sent = new URLSearchParams(modified[0]?.body);
		const groups = "DefaultActions.member.1.ForwardConfig.TargetGroups.member";
		assert.deepEqual(
			[1, 2].map((index) => [
				sent.get(`${groups}.${index}.TargetGroupArn`),
				sent.get(`${groups}.${index}.Weight`),
			]),
			[
				[address.colors.blue.targetGroupArn, "0"],
				[address.colors.green.targetGroupArn, "100"],
			],
		);
	});

	it("says that AWS refuses, with its words", async () => {
		const router = await routerOn(() =>
			fault(403, "AccessDenied", "not authorized to perform DescribeListeners"),
		);
		await assert.rejects(
			router.active(),
			/the load balancer answered 403 AccessDenied: not authorized to perform DescribeListeners/,
		);
	});

	it("is unreachable when nobody answers", async () => {
		const router = openAlbRouter(address, `http://127.0.0.1:${await findFreePort()}`);
		await assert.rejects(router.active(), RouterUnreachable);
	});

	/** Answers as CloudWatch does, with the values of each query, and otherwise shows the listener on green. */
	function published(values: Record<string, number[]>) {
		return ({ action, body }: Asked): Answer => {
			if (action === "ModifyListener" || action === "DescribeListeners") {
				const kind = action === "ModifyListener" ? "Modify" : "Describe";
				return listener(kind, { [address.colors.green.targetGroupArn]: 100 });
			}
			const { MetricDataQueries } = JSON.parse(body) as { MetricDataQueries: { Id: string }[] };
			const results = MetricDataQueries.map(({ Id }) => ({
				Id,
				StatusCode: "Complete",
				Values: values[Id] ?? [],
			}));
			return { status: 200, body: JSON.stringify({ MetricDataResults: results }) };
		};
	}

	/** A router that was made and told to send requests to green at a time of that day, and looks at it at another one. */
	async function routed(
		values: Record<string, number[]>,
		times: { made: string; switched: string; looks: string },
	) {
		let now = times.made;
		const router = await routerOn(published(values), () => new Date(`2026-01-31T${now}Z`));
		now = times.switched;
		await router.route(green);
		now = times.looks;
		return router;
	}
	const times = { made: "12:00:05", switched: "12:01:20", looks: "12:04:10" };

	it("adds up what CloudWatch has of a colour from the first minute on in which nothing else is", async () => {
		const router = await routed(
			{ requests: [100, 20], failures: [3], unconnected: [2], bucket2: [60, 58] },
			times,
		);
		const { requests, failures, latencyBuckets } = await router.traffic("green");
		assert.deepEqual({ requests, failures }, { requests: 120, failures: 5 });
		assert.deepEqual(
			latencyBuckets.filter(({ count }) => count > 0),
			[{ leMs: 50, count: 118 }],
		);
		const { StartTime, EndTime, MetricDataQueries } = JSON.parse(aws?.asked.at(-1)?.body ?? "") as {
			StartTime: number;
			EndTime: number;
			MetricDataQueries: {
				MetricStat: { Metric: { MetricName: string; Dimensions: { Value: string }[] }; Stat: string };
			}[];
		};
		assert.deepEqual(
			[StartTime, EndTime].map((seconds) => new Date(seconds * 1000).toISOString().slice(11, 19)),
			["12:02:00", "12:04:10"],
		);
		const queries = MetricDataQueries.map(({ MetricStat: { Metric, Stat } }) => [
			Metric.MetricName,
			Metric.Dimensions.map(({ Value }) => Value).join(" "),
			Stat,
		]);
		const ofGroup = "app/counting/1 targetgroup/green/2";
		// As AWS publishes them: the load balancer's own answers belong to no target group.
		assert.deepEqual(queries.slice(0, 6), [
			["RequestCount", ofGroup, "Sum"],
			["HTTPCode_Target_5XX_Count", ofGroup, "Sum"],
			["TargetConnectionErrorCount", ofGroup, "Sum"],
			["HTTPCode_ELB_502_Count", "app/counting/1", "Sum"],
			["HTTPCode_ELB_503_Count", "app/counting/1", "Sum"],
			["HTTPCode_ELB_504_Count", "app/counting/1", "Sum"],
		]);
		assert.deepEqual(
			queries.slice(6),
			[
				...["TC(:0.01)", "TC(0.01:0.025)", "TC(0.025:0.05)", "TC(0.05:0.1)", "TC(0.1:0.25)"],
				...["TC(0.25:0.5)", "TC(0.5:1)", "TC(1:2.5)", "TC(2.5:5)", "TC(5:10)", "TC(10:)"],
			].map((stat) => ["TargetResponseTime", ofGroup, stat]),
		);
	});

	it("asks for no minute that has not begun", async () => {
		const router = await routed({ requests: [7] }, { ...times, looks: "12:01:59" });
		assert.deepEqual(await router.traffic("green"), { requests: 0, failures: 0, latencyBuckets: [] });
		assert.equal(aws?.asked.filter(({ body }) => body.includes("MetricDataQueries")).length, 0);
	});

	it("counts requests that a colour lets hang, drops or has no task for, each once", async () => {
		const answers = { failures: [3], own502: [6], own503: [5], own504: [40, 50] };
		const hanging = await routed({ requests: [100], unconnected: [4], ...answers }, times);
		const { requests, failures } = await hanging.traffic("green");
		assert.deepEqual({ requests, failures }, { requests: 105, failures: 3 + 5 + 6 + 90 });
	});
});
