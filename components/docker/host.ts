import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

export interface DockerHostArgs {
	/** The engine's socket, such as `unix:///var/run/docker.sock`; what the environment says when left out. */
	address?: pulumi.Input<string>;
	/** The name of the stack's network, which also begins the names of its containers and volumes. */
	networkName: pulumi.Input<string>;
}

/** A Docker engine, and the private network in which everything of a stack reaches everything else of it by name. */
export class DockerHost extends pulumi.ComponentResource {
	readonly provider: docker.Provider;
	readonly network: docker.Network;
	/**
	 * For volumes: the engine makes none where one of that name is, and would so give a stack those of another by its name.
	 * Networks are refused then.
	 */
	readonly own: { dependsOn: pulumi.Resource[] };
	/** The host's own address in that network: what comes through a published port comes from there. */
	readonly gateway: pulumi.Output<string>;

	constructor(name: string, args: DockerHostArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:docker:DockerHost", name, {}, opts);
		const { address, networkName } = args;
		this.provider = new docker.Provider(
			`${name}-engine`,
			{ ...(address !== undefined && { host: address }) },
			{ parent: this },
		);
		this.network = new docker.Network(
			`${name}-network`,
			{ name: networkName, driver: "bridge" },
			{ parent: this, provider: this.provider },
		);
		this.own = { dependsOn: [this.network] };
		this.gateway = this.network.ipamConfigs.apply((configs) => {
			const gateway = configs.find((config) => config.gateway !== undefined)?.gateway;
			if (gateway === undefined) {
				throw new Error(
					"the Docker engine tells no gateway of the stack's network: docker network inspect shows it",
				);
			}
			return gateway;
		});
		this.registerOutputs({ gateway: this.gateway });
	}
}
