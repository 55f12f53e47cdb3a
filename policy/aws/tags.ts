import type { ResourceRule } from "../rule";

/** Types of resources that AWS can tag and that a deployment of this kind is made of, by module of the provider. */
const TAGGABLE: Readonly<Record<string, readonly string[]>> = {
	acm: ["Certificate"],
	cloudfront: ["Distribution"],
	cloudwatch: ["LogGroup", "MetricAlarm", "CompositeAlarm"],
	ec2: [
		"Vpc",
		"Subnet",
		"SecurityGroup",
		"RouteTable",
		"InternetGateway",
		"NatGateway",
		"Eip",
		"VpcEndpoint",
	],
	ecr: ["Repository"],
	ecs: ["Cluster", "Service", "TaskDefinition", "CapacityProvider"],
	elasticache: ["Cluster", "ReplicationGroup", "SubnetGroup", "ParameterGroup"],
	iam: ["Role", "Policy"],
	kms: ["Key"],
	lb: ["LoadBalancer", "Listener", "ListenerRule", "TargetGroup"],
	rds: [
		"Instance",
		"Cluster",
		"ClusterInstance",
		"ParameterGroup",
		"ClusterParameterGroup",
		"SubnetGroup",
		"Proxy",
	],
	route53: ["Zone", "HealthCheck"],
	s3: ["Bucket", "BucketV2"],
	secretsmanager: ["Secret"],
	servicediscovery: ["Service", "PrivateDnsNamespace"],
	sns: ["Topic"],
	sqs: ["Queue"],
	ssm: ["Parameter"],
	vpc: ["SecurityGroupEgressRule", "SecurityGroupIngressRule"],
};

/** Other modules in which the same resources are. */
const ALIASES: Readonly<Record<string, string>> = {
	alb: "lb",
	elasticloadbalancingv2: "lb",
	applicationloadbalancing: "lb",
};

type Tags = Readonly<Record<string, string>>;

export const resourceIsTagged: ResourceRule<{ tags: Tags; tagsAll: Tags }> = {
	name: "aws-tags",
	description: "What AWS can tag has the tags Project and Environment of its stack, and none of a release.",
	isAbout: isTaggable,
	faults({ props, provider }, { project, environment }) {
		const tags = { ...defaultTags(provider), ...props.tagsAll, ...props.tags };
		const wanted = { Project: project, Environment: environment };
		return [
			...Object.entries(wanted).flatMap(([key, value]) => {
				const found = tags[key];
				return found === value
					? []
					: [`tag ${key} is ${found === undefined ? "missing" : JSON.stringify(found)}: set it to ${value}`];
			}),
			...(tags.Release === undefined
				? []
				: [
						"tag Release makes every release change the resource: leave it out, the catalog knows the release",
					]),
		];
	},
};

function isTaggable(type: string): boolean {
	const [, module = "", name = ""] = /^aws:(\w+)\/\w+:(\w+)$/.exec(type) ?? [];
	return (TAGGABLE[ALIASES[module] ?? module] ?? []).includes(name);
}

/** What a provider gives every resource; in its inputs nested values are JSON. */
function defaultTags(provider: Readonly<Record<string, unknown>> = {}): Tags {
	const given = provider.defaultTags;
	const { tags = {} }: { tags?: Tags } = typeof given === "string" ? JSON.parse(given) : (given ?? {});
	return tags;
}
