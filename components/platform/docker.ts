import * as pulumi from "@pulumi/pulumi";
import { ServerContainer } from "../database/docker/server-container";
import { ServerAnswers } from "../database/server-answers";
import { PUBLISHED_ON } from "../docker/hardened";
import { DockerHost } from "../docker/host";
import type { StackNames } from "../release/names";
import { ServiceContainer } from "../service/docker/service-container";
import type { ServiceArgs } from "../service/service";
import type { DockerSettings } from "../settings/docker";
import { RouterContainer, STATE_FILE } from "../traffic/docker/router-container";
import type { PlacedRouter, PlacedServer, PlacedService, Platform, ServerArgs } from "./platform";

const DATABASE_PORT = 5432;
const DATABASE = "postgres";

/** PostgreSQL, services and router as containers of one Docker engine. */
export class DockerPlatform implements Platform {
	readonly resources: pulumi.Resource[];
	private readonly host: DockerHost;
	/** Begins the names of what is the stack's on the engine. */
	private readonly prefix: string;

	constructor(
		names: StackNames,
		private readonly settings: DockerSettings,
	) {
		this.prefix = names.base.replaceAll("_", "-");
		this.host = new DockerHost("docker", { address: settings.dockerHost, networkName: this.prefix });
		this.resources = [this.host];
	}

	server(name: string, args: ServerArgs, opts: pulumi.ComponentResourceOptions): PlacedServer {
		const { holds, maxConnections, password } = args;
		const { databasePort, databaseImage, startTimeoutSeconds, protectDatabases, keptWalGigabytes } =
			this.settings;
		const containerName = `${this.prefix}-database${holds === "first" ? "" : `-${holds}`}`;
		const port = holds === "first" ? databasePort : databasePort + 1;
		const { data, container } = new ServerContainer(
			name,
			{
				...{
					host: this.host,
					image: databaseImage,
					containerName,
					port,
					password,
					maxConnections,
					keptWalGigabytes,
				},
				timeoutSeconds: startTimeoutSeconds,
				keepData: protectDatabases,
			},
			opts,
		);
		const address = { host: PUBLISHED_ON, port };
		// On the host's loopback and in the stack's own network only.
		const sslMode = "disable";
		const running = new ServerAnswers(
			`${name}-answers`,
			{
				connection: pulumi.output({ ...address, database: DATABASE, user: DATABASE, password, sslMode }),
				instance: container.id,
				timeoutSeconds: startTimeoutSeconds,
			},
			opts,
		);
		return {
			host: pulumi.output(address.host),
			port: pulumi.output(address.port),
			inside: { host: containerName, port: DATABASE_PORT },
			administrator: DATABASE,
			password: pulumi.secret(password),
			sslMode,
			resource: data,
			running,
		};
	}

	router(name: string, opts: pulumi.ComponentResourceOptions): PlacedRouter {
		const { gatewayPort, publicAddress, routerPort, routerImage } = this.settings;
		const router = new RouterContainer(
			name,
			{
				...{ host: this.host, image: routerImage, containerName: `${this.prefix}-router` },
				...{ port: gatewayPort, publicAddress, adminPort: routerPort },
			},
			opts,
		);
		return {
			url: router.container.id.apply(() => `http://${PUBLISHED_ON}:${gatewayPort}`),
			reference: router.container.id.apply(() => ({
				kind: "haproxy" as const,
				host: PUBLISHED_ON,
				port: routerPort,
				stateFile: STATE_FILE,
			})),
			resource: router,
		};
	}

	service(name: string, args: ServiceArgs, opts: pulumi.ComponentResourceOptions): PlacedService {
		const { entry: _, image, ...rest } = args;
		if (image === undefined) {
			throw new Error("a service on platform docker needs an image: set serviceImage");
		}
		const service = new ServiceContainer(
			name,
			{ ...rest, host: this.host, prefix: this.prefix, image },
			opts,
		);
		return {
			url: service.ready.url,
			insideUrl: service.insideUrl,
			targetGroup: service.targetGroup,
			resource: service,
		};
	}
}
