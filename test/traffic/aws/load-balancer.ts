import {
	CreateListenerCommand,
	CreateLoadBalancerCommand,
	CreateTargetGroupCommand,
	ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { AlbAddress } from "../../../components/traffic/aws/alb-router";

export const REGION = "eu-west-1";

/** A load balancer as platform `aws` declares it, on a stand-in for AWS: two target groups, and nobody is live. */
export async function declareLoadBalancer(
	endpoint: string,
): Promise<{ address: AlbAddress; balancer: ElasticLoadBalancingV2Client; vpcId: string }> {
	const balancer = new ElasticLoadBalancingV2Client({ region: REGION, endpoint });
	const [vpcId, ...subnets] = await defaultNetwork(endpoint);
	const { LoadBalancers } = await balancer.send(
		new CreateLoadBalancerCommand({ Name: "counting", Subnets: subnets, Type: "application" }),
	);
	const { LoadBalancerArn = "" } = LoadBalancers?.[0] ?? {};
	const group = async (name: string): Promise<string> => {
		const { TargetGroups } = await balancer.send(
			new CreateTargetGroupCommand({
				Name: name,
				Protocol: "HTTP",
				Port: 8080,
				VpcId: vpcId,
				TargetType: "ip",
			}),
		);
		return TargetGroups?.[0]?.TargetGroupArn ?? "";
	};
	const colors = {
		blue: { targetGroupArn: await group("counting-blue"), url: "https://counting.example.com:8443" },
		green: { targetGroupArn: await group("counting-green"), url: "https://counting.example.com:8444" },
	};
	const { Listeners } = await balancer.send(
		new CreateListenerCommand({
			LoadBalancerArn,
			Port: 80,
			Protocol: "HTTP",
			DefaultActions: [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "503" } }],
		}),
	);
	return {
		address: {
			region: REGION,
			listenerArn: Listeners?.[0]?.ListenerArn ?? "",
			loadBalancer: LoadBalancerArn.slice(LoadBalancerArn.indexOf("app/")),
			colors,
		},
		balancer,
		vpcId: vpcId ?? "",
	};
}

/** The network that a region comes with, and two of its subnets. */
async function defaultNetwork(endpoint: string): Promise<string[]> {
	const reply = await fetch(endpoint, {
		method: "POST",
		headers: {
			"content-type": "application/x-www-form-urlencoded",
			authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/ec2/aws4_request, SignedHeaders=host, Signature=0`,
		},
		body: "Action=DescribeSubnets&Version=2016-11-15",
	});
	const text = await reply.text();
	const all = (tag: string) =>
		[...text.matchAll(new RegExp(`<${tag}>([^<]+)</${tag}>`, "g"))].map(([, id]) => id ?? "");
	return [all("vpcId")[0] ?? "", ...all("subnetId").slice(0, 2)];
}
