import * as pulumi from "@pulumi/pulumi";
import { lateProvider } from "../provider/late";

export interface HostPortArgs {
	/** What the container on it is made of: another one gets another port, since both run for a while. */
	container: pulumi.Input<string>;
}

const provider = lateProvider("components/docker/host-port-provider.ts");

/**
 * A port of this machine, which is the Docker host. One that the engine chooses would be another one each time that the
 * container starts.
 */
export class HostPort extends pulumi.dynamic.Resource {
	declare readonly port: pulumi.Output<number>;

	constructor(name: string, args: HostPortArgs, opts?: pulumi.CustomResourceOptions) {
		super(provider, name, { ...args, port: undefined }, opts, "docker", "HostPort");
	}
}
