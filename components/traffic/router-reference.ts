import { z } from "zod";
import { HaproxyRouter } from "./docker/haproxy-router";
import { GatewayRouter } from "./local/gateway-router";
import type { Router } from "./routing";

const albColor = z.strictObject({
	targetGroupArn: z.string().min(1),
	/** Where the deployment reaches the colour. */
	url: z.url(),
});

/** How to get at the router of a stack, by the kind that its platform has. Nothing secret. */
export const routerReferenceSchema = z.discriminatedUnion("kind", [
	z.strictObject({
		/** The gateway process of platform `local`. */
		kind: z.literal("gateway"),
		/** Its state file, from the project's folder. */
		stateFile: z.string().min(1),
		/** The folder in which each colour has one of its services. */
		serviceDirectory: z.string().min(1),
	}),
	z.strictObject({
		/** The HAProxy of platform `docker`. */
		kind: z.literal("haproxy"),
		/** Where the deployment reaches its runtime API. */
		host: z.string().min(1),
		port: z.number().int().min(1).max(65535),
		/** The name of its state map, as HAProxy knows it. */
		stateFile: z.string().min(1),
	}),
	z.strictObject({
		/** The load balancer of platform `aws`. */
		kind: z.literal("alb"),
		region: z.string().min(1),
		listenerArn: z.string().min(1),
		/** As CloudWatch names it. */
		loadBalancer: z.string().min(1),
		colors: z.strictObject({ blue: albColor, green: albColor }),
	}),
]);

export type RouterReference = z.infer<typeof routerReferenceSchema>;

/** A name for the router that does not change while it is the same one. */
export function routerId(reference: RouterReference): string {
	switch (reference.kind) {
		case "gateway":
			return reference.stateFile;
		case "haproxy":
			return `haproxy ${reference.host}:${reference.port}`;
		case "alb":
			return reference.listenerArn;
	}
}

/** The router itself, to be asked and told. */
export function openRouter(reference: RouterReference): Router {
	switch (reference.kind) {
		case "gateway":
			return new GatewayRouter(reference.stateFile, reference.serviceDirectory);
		case "haproxy":
			return new HaproxyRouter(reference, reference.stateFile);
		case "alb": {
			// Loaded where it is needed: the SDK of AWS would take its time of every other stack.
			const { openAlbRouter } = require("./aws/open") as typeof import("./aws/open");
			return openAlbRouter(reference);
		}
	}
}
