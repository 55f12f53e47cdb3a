import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../database/connection";
import { FilledVolume } from "../../docker/filled-volume";
import { hardened, PUBLISHED_ON } from "../../docker/hardened";
import type { DockerHost } from "../../docker/host";
import { HostPort } from "../../docker/host-port";
import { serviceEnvironment, serviceSettingsSchema } from "../environment";
import type { ServiceArgs } from "../service";
import { ServiceReady } from "../service-ready";

export interface ServiceContainerArgs extends Omit<ServiceArgs, "entry" | "image"> {
	/** Where it runs. */
	host: DockerHost;
	/** Begins the names of the container and its volume. */
	prefix: string;
	/** The image to run, as `service/Dockerfile` makes it. */
	image: pulumi.Input<string>;
}

const PORT = 8080;
const SECRETS = "/run/secrets";
/** What the service has beyond its own deadline before it is killed, in seconds. */
const OWN_DEADLINE_SECONDS = 2;

/** A service of a release as a container. A change makes a second one, and the first ends when the update is over. */
export class ServiceContainer extends pulumi.ComponentResource {
	readonly ready: ServiceReady;
	/** Where the router reaches it. */
	readonly insideUrl: pulumi.Output<string>;
	/** What the router calls it. */
	readonly targetGroup: pulumi.Output<string>;

	constructor(name: string, args: ServiceContainerArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:service:ServiceContainer", name, {}, opts);
		const { host, prefix, color, image, release, database, queue, drainTimeoutSeconds } = args;
		const child = { parent: this, provider: host.provider };
		const secrets = new FilledVolume(
			`${name}-secrets`,
			{
				host,
				image,
				volumeName: `${prefix}-${color}-secrets`,
				folder: SECRETS,
				files: { database: passwordOf(database), queue: passwordOf(queue) },
			},
			{ parent: this },
		).mounted;
		const envs = environment(args);
		const { port } = new HostPort(
			`${name}-port`,
			{ container: pulumi.jsonStringify([image, envs, secrets.labels]) },
			{ parent: this },
		);
		const drain = pulumi.output(drainTimeoutSeconds);
		const container = new docker.Container(
			`${prefix}-${color}`,
			{
				...hardened,
				...secrets,
				image,
				envs,
				networksAdvanced: [{ name: host.network.name }],
				ports: [{ internal: PORT, external: port, ip: PUBLISHED_ON }],
				stopTimeout: drain.apply((seconds) => seconds + OWN_DEADLINE_SECONDS),
				destroyGraceSeconds: drain.apply((seconds) => seconds + OWN_DEADLINE_SECONDS),
			},
			// The provider would end the first one before; that one has the traffic.
			{ ...child, deleteBeforeReplace: false },
		);
		const instance = container.id.apply((id) => id.slice(0, 12));
		this.insideUrl = pulumi.interpolate`http://${container.name}:${PORT}`;
		this.targetGroup = pulumi.interpolate`${color}@${instance}`;
		this.ready = new ServiceReady(
			`${name}-ready`,
			{
				url: pulumi.interpolate`http://${PUBLISHED_ON}:${port}`,
				instance,
				release,
				logs: pulumi.interpolate`docker logs ${container.name}`,
				database: args.reachedDatabase,
				statistics: args.statistics,
				readyTimeoutSeconds: args.readyTimeoutSeconds,
				context: args.context,
			},
			{ parent: this },
		);
		this.registerOutputs({ targetGroup: this.targetGroup });
	}
}

/** Not secret: passwords are not in it, though the connections are secret as a whole. */
function environment(args: ServiceContainerArgs): pulumi.Output<string[]> {
	const { release, requiredSchema, schemaCompatibility, poolSize, logLevel, debugMode, cacheNamespace } =
		args;
	const { database, queue, drainTimeoutSeconds } = args;
	const told = pulumi.output({
		settings: {
			...{ release, requiredSchema, schemaCompatibility, poolSize, logLevel, debugMode, cacheNamespace },
			...{ database, queue },
		},
		drainTimeoutSeconds,
	});
	return pulumi.unsecret(
		told.apply(({ settings, drainTimeoutSeconds: seconds }) =>
			Object.entries({
				...serviceEnvironment(serviceSettingsSchema.parse(settings), seconds),
				PGPASSWORD_FILE: `${SECRETS}/database`,
				QUEUE_PGPASSWORD_FILE: `${SECRETS}/queue`,
			}).map(([name, value]) => `${name}=${value}`),
		),
	);
}

function passwordOf(connection: pulumi.Input<Connection>): pulumi.Output<string> {
	return pulumi.secret(pulumi.output(connection).apply(({ password }) => password));
}
