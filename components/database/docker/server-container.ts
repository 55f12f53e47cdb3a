import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { FilledVolume } from "../../docker/filled-volume";
import { hardened, PUBLISHED_ON } from "../../docker/hardened";
import type { DockerHost } from "../../docker/host";
import { serverSettings } from "../server-settings";

export interface ServerContainerArgs {
	/** Where it runs. */
	host: DockerHost;
	/** An official image of PostgreSQL, or one that is started like it. */
	image: pulumi.Input<string>;
	/** The container's name, by which others in the stack's network reach it. */
	containerName: pulumi.Input<string>;
	/** The port on the host's loopback by which the deployment reaches it. */
	port: pulumi.Input<number>;
	/** Of the superuser `postgres`; takes effect when the volume is new. */
	password: pulumi.Input<string>;
	/** Connections that one colour's application may hold. */
	maxConnections: pulumi.Input<number>;
	/** Of its log that it keeps for a slot that nobody reads from. */
	keptWalGigabytes: pulumi.Input<number>;
	/** Seconds until starting or stopping is given up. */
	timeoutSeconds: number;
	/** Keeps the volume when the stack no longer declares it. */
	keepData: boolean;
}

/** Where official images since PostgreSQL 18 keep what has to survive the container. */
const DATA = "/var/lib/postgresql";
const SECRETS = "/run/secrets";
const SHARED_MEMORY_MB = 1024;

/** A PostgreSQL server as a container, with its rows in a volume. */
export class ServerContainer extends pulumi.ComponentResource {
	/** The server's rows: what lives on it is gone when they are. */
	readonly data: docker.Volume;
	readonly container: docker.Container;

	constructor(name: string, args: ServerContainerArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:database:ServerContainer", name, {}, opts);
		const {
			host,
			image,
			containerName,
			port,
			password,
			maxConnections,
			timeoutSeconds,
			keepData,
			keptWalGigabytes,
		} = args;
		const child = { parent: this, provider: host.provider };
		this.data = new docker.Volume(
			`${name}-data`,
			{ name: pulumi.interpolate`${containerName}-data` },
			{ ...child, ...host.own, retainOnDelete: keepData },
		);
		const secrets = new FilledVolume(
			`${name}-secrets`,
			{
				host,
				image,
				volumeName: pulumi.interpolate`${containerName}-secrets`,
				folder: SECRETS,
				files: { password: pulumi.secret(password) },
			},
			{ parent: this },
		).mounted;
		this.container = new docker.Container(
			`${name}-container`,
			{
				...hardened,
				name: containerName,
				image,
				command: pulumi.all([maxConnections, keptWalGigabytes]).apply((all) => commandLine(...all)),
				envs: [
					`POSTGRES_PASSWORD_FILE=${SECRETS}/password`,
					"POSTGRES_INITDB_ARGS=--auth-host=scram-sha-256 --data-checksums",
				],
				// What the image's entry point needs to make the folder its own, and then to become `postgres`. Named as the
				// engine tells them: it would else be another container after each refresh.
				capabilities: {
					drops: ["ALL"],
					adds: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETGID", "CAP_SETUID"],
				},
				labels: secrets.labels,
				volumes: [{ volumeName: this.data.name, containerPath: DATA }, ...secrets.volumes],
				// Parallel workers share their memory there, of which a container has 64 MB by default.
				shmSize: SHARED_MEMORY_MB,
				tmpfs: { "/tmp": "", "/var/run/postgresql": "mode=3777" },
				networksAdvanced: [{ name: host.network.name }],
				ports: [{ internal: 5432, external: port, ip: PUBLISHED_ON }],
				healthcheck: {
					// Over TCP: while the image fills a new volume, its server listens on a socket only.
					tests: ["CMD", "pg_isready", "--quiet", "--host=127.0.0.1", "--username=postgres"],
					interval: "2s",
					timeout: "3s",
					retries: 30,
				},
				wait: true,
				waitTimeout: timeoutSeconds,
				// A fast shutdown, which ends sessions; the image's own signal for it.
				stopSignal: "SIGINT",
				stopTimeout: timeoutSeconds,
				destroyGraceSeconds: timeoutSeconds,
			},
			// Two servers must never run on one volume.
			{ ...child, deleteBeforeReplace: true },
		);
		this.registerOutputs({});
	}
}

function commandLine(maxConnections: number, keptWalGigabytes: number): string[] {
	return [
		"postgres",
		...Object.entries(serverSettings(maxConnections, keptWalGigabytes)).flatMap(([setting, value]) => [
			"-c",
			`${setting}=${value}`,
		]),
	];
}
