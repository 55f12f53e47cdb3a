import { readFileSync } from "node:fs";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { FilledVolume } from "../../docker/filled-volume";
import { hardened, PUBLISHED_ON } from "../../docker/hardened";
import type { DockerHost } from "../../docker/host";
import { haproxyConfig } from "./haproxy-config";

export interface RouterContainerArgs {
	/** Where it runs. */
	host: DockerHost;
	/** An official image of HAProxy, or one that is started like it; with Lua, as those have. */
	image: pulumi.Input<string>;
	/** The container's name. */
	containerName: pulumi.Input<string>;
	/** The port on the host that clients use. */
	port: pulumi.Input<number>;
	/** The host's address that clients use it on, such as `0.0.0.0`. */
	publicAddress: pulumi.Input<string>;
	/** The port on the host's loopback by which the deployment tells it where requests go. */
	adminPort: pulumi.Input<number>;
}

const FOLDER = "/usr/local/etc/haproxy";
/** The home of the image's own user: a new volume there is that user's. */
const STATE = "/var/lib/haproxy";
const PORT = 8080;
const ADMIN_PORT = 9999;
/** The router's state map, as HAProxy knows it. */
export const STATE_FILE = `${STATE}/state.map`;

/** The one address that clients use, as a container. */
export class RouterContainer extends pulumi.ComponentResource {
	readonly container: docker.Container;

	constructor(name: string, args: RouterContainerArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:traffic:RouterContainer", name, {}, opts);
		const { host, image, containerName, port, publicAddress, adminPort } = args;
		const child = { parent: this, provider: host.provider };
		const config = host.gateway.apply((gateway) =>
			haproxyConfig({
				bind: `:${PORT}`,
				adminBind: `:${ADMIN_PORT}`,
				adminFrom: gateway,
				adminSocket: "/tmp/admin.sock",
				stateFile: STATE_FILE,
				scripts: FOLDER,
				healthPath: "/readyz",
				nameServer: "as the host",
			}),
		);
		const files = new FilledVolume(
			`${name}-files`,
			{
				host,
				image,
				volumeName: pulumi.interpolate`${containerName}-files`,
				folder: FOLDER,
				files: {
					"haproxy.cfg": config,
					"hold.lua": readFileSync("components/traffic/docker/hold.lua", "utf8"),
					"keep.lua": readFileSync("components/traffic/docker/keep.lua", "utf8"),
				},
			},
			{ parent: this },
		).mounted;
		// Where requests go outlives the container: the next one goes on there.
		const state = new docker.Volume(
			`${name}-state`,
			{ name: pulumi.interpolate`${containerName}-state` },
			{ ...child, ...host.own },
		);
		this.container = new docker.Container(
			`${name}-container`,
			{
				...hardened,
				labels: files.labels,
				volumes: [...files.volumes, { volumeName: state.name, containerPath: STATE }],
				name: containerName,
				image,
				// For the socket of its runtime API.
				tmpfs: { "/tmp": "mode=1777" },
				networksAdvanced: [{ name: host.network.name }],
				ports: [
					{ internal: PORT, external: port, ip: publicAddress },
					{ internal: ADMIN_PORT, external: adminPort, ip: PUBLISHED_ON },
				],
			},
			// The ports are the old one's until it ends.
			{ ...child, deleteBeforeReplace: true },
		);
		this.registerOutputs({});
	}
}
