import type { PolicyResource } from "@pulumi/policy";
import { oneOf, type ResourceRule, type StackRule } from "../rule";

interface ListenerProps {
	protocol: string;
	sslPolicy: string;
	defaultActions: Action[];
}

interface Action {
	type: string;
}

// The same resources have a name of their own for each module of the provider.
const isListener = oneOf(
	"aws:lb/listener:Listener",
	"aws:alb/listener:Listener",
	"aws:elasticloadbalancingv2/listener:Listener",
	"aws:applicationloadbalancing/listener:Listener",
);
const isListenerRule = oneOf(
	"aws:lb/listenerRule:ListenerRule",
	"aws:alb/listenerRule:ListenerRule",
	"aws:elasticloadbalancingv2/listenerRule:ListenerRule",
	"aws:applicationloadbalancing/listenerRule:ListenerRule",
);

/** TLS 1.3 with 1.2, 1.3 alone, 1.2 alone, and 1.2 with forward secrecy. */
const MODERN = /^ELBSecurityPolicy-(TLS13-1-[23]|TLS-1-2|FS-1-2)-/;

export const httpsListenerIsModern: ResourceRule<ListenerProps> = {
	name: "aws-listener-modern-tls",
	description: "A listener with TLS asks for TLS 1.2 at least.",
	isAbout: isListener,
	faults({ props }) {
		if (props.protocol !== "HTTPS" && props.protocol !== "TLS") {
			return [];
		}
		const { sslPolicy } = props;
		return sslPolicy !== undefined && MODERN.test(sslPolicy)
			? []
			: [
					`${sslPolicy ?? "the default policy"} allows TLS 1.0 or 1.1: set sslPolicy to one such as ELBSecurityPolicy-TLS13-1-2-2021-06`,
				];
	},
};

export const plainListenerForwardsNothing: ResourceRule<ListenerProps> = {
	name: "aws-listener-no-plain-http",
	description: "A listener without TLS redirects or answers by itself, and forwards nothing.",
	isAbout: isListener,
	faults({ props }) {
		return isPlain(props) && (props.defaultActions ?? []).some(({ type }) => type === "forward")
			? ["requests are forwarded as they come, without TLS: redirect them to an HTTPS listener"]
			: [];
	},
};

export const plainRuleForwardsNothing: StackRule = {
	name: "aws-listener-rule-no-plain-http",
	description: "A rule of a listener without TLS forwards nothing.",
	faults(resources) {
		return resources
			.filter((resource) => isListenerRule(resource.type) && forwards(resource))
			.filter((resource) =>
				(resource.propertyDependencies.listenerArn ?? []).some(
					({ type, props }) => isListener(type) && isPlain(props),
				),
			)
			.map((resource) => ({
				resource,
				fault:
					"requests to a plain HTTP listener are forwarded, without TLS: put the rule on an HTTPS listener",
			}));
	},
};

function forwards({ props }: PolicyResource): boolean {
	const actions: Action[] = props.actions ?? [];
	return actions.some(({ type }) => type === "forward");
}

/** Without a protocol, a listener of an application load balancer speaks HTTP. */
function isPlain({ protocol }: Partial<ListenerProps>): boolean {
	return protocol === undefined || protocol === "HTTP";
}
