import type * as docker from "@pulumi/docker";

/** What every container of a stack has: it comes back by itself, writes nothing to its root, and may gain no rights. */
export const hardened = {
	restart: "unless-stopped",
	readOnly: true,
	securityOpts: ["no-new-privileges"],
	capabilities: { drops: ["ALL"] },
	logDriver: "json-file",
	logOpts: { "max-size": "10m", "max-file": "5" },
} satisfies Partial<docker.ContainerArgs>;

/** Ports are published on the host's loopback only: from elsewhere they are reached by way of the host. */
export const PUBLISHED_ON = "127.0.0.1";
