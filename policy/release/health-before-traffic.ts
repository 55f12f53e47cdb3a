import type { PolicyResource } from "@pulumi/policy";
import { nodeName } from "../../components/replication/node";
import type { StackRule } from "../rule";

const SWITCH = "pulumi-nodejs:dynamic/traffic:TrafficSwitch";
const COLOR_HEALTH = "pulumi-nodejs:dynamic/health:ColorHealth";
const ROUTE = "pulumi-nodejs:dynamic/traffic:Route";
const HEALTH_GATE = "pulumi-nodejs:dynamic/health:HealthGate";

type Side = Parameters<typeof nodeName>[0];

export const healthBeforeTraffic: StackRule = {
	name: "release-health-before-traffic",
	description:
		"A colour passes its health checks before it can get the traffic; a release in place passes them after it.",
	faults(resources) {
		return [
			...resources.filter(({ type }) => type === SWITCH).flatMap(unexaminedColors),
			...resources.filter(({ type }) => type === ROUTE).flatMap((route) => unexaminedRoute(route, resources)),
		];
	},
};

function unexaminedColors(resource: PolicyResource) {
	const { live, idle }: { live: Side; idle?: Side } = resource.props as { live: Side; idle?: Side };
	const examined = [...awaited(resource)]
		.filter(({ type }) => type === COLOR_HEALTH)
		.map(({ parent }) => parent?.name);
	return [live, ...(idle ? [idle] : [])]
		.map(nodeName)
		.filter((color) => !examined.includes(color))
		.map((color) => ({
			resource,
			fault: `the switch may give ${color} the traffic without its health checks: let it depend on the ColorHealth of ${color}`,
		}));
}

/** What comes before a resource, directly or by way of others. */
function awaited(resource: PolicyResource, found = new Set<PolicyResource>()): Set<PolicyResource> {
	for (const each of resource.dependencies.filter((dependency) => !found.has(dependency))) {
		awaited(each, found.add(each));
	}
	return found;
}

function unexaminedRoute(resource: PolicyResource, resources: readonly PolicyResource[]) {
	const isExamined = resources.some(
		({ type, dependencies }) => type === HEALTH_GATE && dependencies.some(({ urn }) => urn === resource.urn),
	);
	return isExamined
		? []
		: [
				{
					resource,
					fault: "nothing checks the release that gets the traffic: declare a HealthGate on the route",
				},
			];
}
