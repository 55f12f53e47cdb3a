import assert from "node:assert/strict";
import { LoadBalancer } from "../../../components/traffic/aws/load-balancer";
import { counted, declaredBy, TAGS, the, untagged } from "./declared";

const prefix = "counting-production";

describe("the load balancer on AWS", () => {
	it("speaks TLS only, leaves the choice of the colour to the cutover and lets the deployment reach both", async () => {
		let urls: unknown;
		const declared = await declaredBy(() => {
			const { url, testUrls } = new LoadBalancer("router", {
				...{ vpcId: "vpc-1", subnetIds: ["subnet-a", "subnet-b"], securityGroupId: "sg-load-balancer" },
				...{ domainName: "counting.example.com", zoneId: "Z1", certificateArn: "arn:certificate" },
				...{ deregistrationDelaySeconds: 15, accessLogsBucket: "logs", protect: true, prefix, tags: TAGS },
			});
			return [url, testUrls.blue, testUrls.green].map((each, index) =>
				each.apply((text) => {
					urls = { ...(urls as object), [index]: text };
				}),
			);
		});
		assert.deepEqual(counted(declared), { LoadBalancer: 1, TargetGroup: 2, Listener: 4, Record: 1 });
		assert.deepEqual(urls, {
			0: "https://counting.example.com",
			1: "https://counting.example.com:8443",
			2: "https://counting.example.com:8444",
		});
		const listener = (name: string) => the(declared, "Listener", `router-${name}`);
		const { inputs, ignores } = listener("https");
		assert.equal(inputs.sslPolicy, "ELBSecurityPolicy-TLS13-1-2-2021-06");
		assert.deepEqual(ignores, ["defaultActions"]);
		assert.equal((inputs.defaultActions as { type: string }[])[0]?.type, "fixed-response");
		assert.deepEqual(listener("http").inputs.defaultActions, [
			{ type: "redirect", redirect: { protocol: "HTTPS", port: "443", statusCode: "HTTP_301" } },
		]);
		for (const color of ["blue", "green"]) {
			assert.deepEqual(listener(`test-${color}`).inputs.defaultActions, [
				{ type: "forward", targetGroupArn: `arn:aws:mock:router-${color}` },
			]);
			assert.deepEqual(listener(`test-${color}`).ignores, []);
		}
		const group = the(declared, "TargetGroup", "router-green").inputs;
		assert.deepEqual([group.name, group.deregistrationDelay], ["counting-production-green", 15]);
		assert.deepEqual(the(declared, "LoadBalancer", "router").inputs.accessLogs, {
			bucket: "logs",
			prefix,
			enabled: true,
		});
		assert.deepEqual(untagged(declared, TAGS), []);
	});
});
