import assert from "node:assert/strict";
import { CloudWatchClient, type GetMetricDataInput, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
	DescribeListenersCommand,
	type ElasticLoadBalancingV2Client,
	ModifyListenerCommand,
	RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { AlbAddress } from "../../../components/traffic/aws/alb-router";
import { countersSince } from "../../../components/traffic/aws/cloudwatch-counters";
import { openAlbRouter } from "../../../components/traffic/aws/open";
import type { Router } from "../../../components/traffic/routing";
import { declareLoadBalancer, REGION } from "./load-balancer";
import { CREDENTIALS, Moto, motoIsInstalled } from "./moto";

const unlessMissing = motoIsInstalled() ? "" : " (skipped: there is no `moto_server` on PATH)";

describe(`a load balancer of AWS as the router, on moto${unlessMissing}`, () => {
	let moto: Moto;
	let address: AlbAddress;
	let balancer: ElasticLoadBalancingV2Client;
	let router: Router;

	before(async function () {
		if (!motoIsInstalled()) {
			this.skip();
		}
		Object.assign(process.env, CREDENTIALS);
		moto = await Moto.start();
	});

	beforeEach(async () => {
		await fetch(`${moto.endpoint}/moto-api/reset`, { method: "POST" });
		({ address, balancer } = await declareLoadBalancer(moto.endpoint));
		router = openAlbRouter(address, moto.endpoint);
	});

	after(async () => {
		await moto?.stop();
		for (const name of Object.keys(CREDENTIALS)) {
			delete process.env[name];
		}
	});

	const blue = () => ({ targetGroup: "blue", url: address.colors.blue.url });
	const green = () => ({ targetGroup: "green", url: address.colors.green.url });

	async function weights(): Promise<(number | undefined)[]> {
		const { Listeners } = await balancer.send(
			new DescribeListenersCommand({ ListenerArns: [address.listenerArn] }),
		);
		const groups = Listeners?.[0]?.DefaultActions?.[0]?.ForwardConfig?.TargetGroups ?? [];
		return ["blue", "green"].map((color) =>
			Number(
				groups.find(
					({ TargetGroupArn }) => TargetGroupArn === address.colors[color as "blue" | "green"].targetGroupArn,
				)?.Weight,
			),
		);
	}

	const forward = (groups: { TargetGroupArn: string; Weight: number }[]) =>
		balancer.send(
			new ModifyListenerCommand({
				ListenerArn: address.listenerArn,
				DefaultActions: [{ Type: "forward", ForwardConfig: { TargetGroups: groups } }],
			}),
		);

	it("sends requests nowhere before the first release", async () => {
		assert.equal(await router.active(), undefined);
	});

	it("moves the whole traffic at once, there and back", async () => {
		await router.route(blue());
		assert.deepEqual(await router.active(), blue());
		assert.deepEqual(await weights(), [100, 0]);
		await router.route(green());
		assert.deepEqual(await router.active(), green());
		assert.deepEqual(await weights(), [0, 100]);
		await router.route(blue());
		assert.deepEqual(await weights(), [100, 0]);
	});

	it("refuses a listener that sends requests to both colours", async () => {
		const { blue: one, green: other } = address.colors;
		await forward([
			{ TargetGroupArn: one.targetGroupArn, Weight: 90 },
			{ TargetGroupArn: other.targetGroupArn, Weight: 10 },
		]);
		await assert.rejects(router.active(), /sends requests to blue and green: give one of them the weight 0/);
	});

	it("refuses a listener that sends requests to somebody else's targets", async () => {
		const router = openAlbRouter(
			{
				...address,
				colors: { ...address.colors, green: { ...address.colors.green, targetGroupArn: "arn:another" } },
			},
			moto.endpoint,
		);
		await forward([{ TargetGroupArn: address.colors.green.targetGroupArn, Weight: 100 }]);
		await assert.rejects(router.active(), /which is no target group of this stack/);
	});

	it("finds a colour prepared when its targets are healthy, and not while it has none", async () => {
		await assert.rejects(
			router.prepare(green(), 100),
			/the load balancer finds green unhealthy after 100 ms: it has no targets/,
		);
		await balancer.send(
			new RegisterTargetsCommand({
				TargetGroupArn: address.colors.green.targetGroupArn,
				Targets: [{ Id: "10.0.0.1", Port: 8080 }],
			}),
		);
		await router.prepare(green(), 100);
	});

	it("knows each generation of a colour by that colour's target group", async () => {
		assert.deepEqual(await router.targetsOf("green-2"), [green()]);
		assert.deepEqual(await router.targetsOf("green-4"), [green()]);
		assert.deepEqual(await router.targetsOf("violet-1"), []);
		await assert.rejects(router.route({ targetGroup: "violet", url: "" }), /has no target group violet/);
	});

	it("holds nothing, since it cannot", async () => {
		const { inFlight, holdId } = await router.hold({ timeoutMs: 1000, waitForIdleMs: 1000 });
		assert.equal(inFlight, 0);
		await router.release(holdId);
		await router.releaseForsaken();
	});

	it("says what AWS says against a call", async () => {
		const lost = openAlbRouter({ ...address, listenerArn: `${address.listenerArn}0` }, moto.endpoint);
		await assert.rejects(lost.active(), /the load balancer answered 400 ListenerNotFound/);
	});

	it("adds up requests and failures of the colour alone, from the first whole minute after the switch on", async () => {
		const client = new CloudWatchClient({ region: REGION, endpoint: moto.endpoint });
		// Moto fails on a trimmed count, which the latencies are: a stand-in answers for those.
		client.middlewareStack.add(
			(next) => (step) => {
				const { MetricDataQueries = [], ...input } = step.input as GetMetricDataInput;
				const sums = MetricDataQueries.filter(({ MetricStat }) => !MetricStat?.Stat?.startsWith("TC("));
				return next({ ...step, input: { ...input, MetricDataQueries: sums } as typeof step.input });
			},
			{ step: "initialize" },
		);
		const ofGroup = (color: "blue" | "green") => address.colors[color].targetGroupArn.replace(/^.*:/, "");
		const at = (time: string) => new Date(`2026-01-31T${time}Z`);
		const put = async (name: string, color: "blue" | "green" | undefined, values: Record<string, number>) => {
			const Dimensions = [
				{ Name: "LoadBalancer", Value: address.loadBalancer },
				...(color === undefined ? [] : [{ Name: "TargetGroup", Value: ofGroup(color) }]),
			];
			const MetricData = Object.entries(values).map(([time, Value]) => ({
				...{ MetricName: name, Dimensions, Timestamp: at(time), Value },
			}));
			await new CloudWatchClient({ region: REGION, endpoint: moto.endpoint }).send(
				new PutMetricDataCommand({ Namespace: "AWS/ApplicationELB", MetricData }),
			);
		};
		await put("RequestCount", "green", {
			"12:01:00": 1000,
			"12:02:00": 100,
			"12:03:00": 20,
			"12:05:00": 3000,
		});
		await put("RequestCount", "blue", { "12:02:00": 500 });
		await put("HTTPCode_Target_5XX_Count", "green", { "12:01:00": 70, "12:02:00": 1, "12:03:00": 2 });
		await put("HTTPCode_Target_5XX_Count", "blue", { "12:02:00": 9 });
		await put("HTTPCode_ELB_504_Count", undefined, { "12:01:00": 30, "12:03:00": 4 });
		const { requests, failures } = await countersSince(client, {
			...{ loadBalancer: address.loadBalancer, targetGroupArn: address.colors.green.targetGroupArn },
			...{ routedAt: at("12:01:20"), now: at("12:04:10") },
		});
		assert.deepEqual({ requests, failures }, { requests: 120, failures: 7 });
	});
});
