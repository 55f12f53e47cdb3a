import type * as pulumi from "@pulumi/pulumi";
import { ADMINISTRATOR, SUPERUSER } from "../database/local/roles";
import { LocalServer, LocalServerRunning } from "../database/local/server-resource";
import type { StackNames } from "../release/names";
import { LocalService } from "../service/local/service-resource";
import type { ServiceArgs } from "../service/service";
import type { Settings } from "../settings/settings";
import { LocalRouter } from "../traffic/local/router-resource";
import type { RouterReference } from "../traffic/router-reference";
import type { PlacedRouter, PlacedServer, PlacedService, Platform, ServerArgs } from "./platform";

/** PostgreSQL, services and router as processes on this machine that outlive the update. */
export class LocalPlatform implements Platform {
	readonly replicationRole?: NonNullable<Platform["replicationRole"]>;
	readonly resources: pulumi.Resource[] = [];
	private readonly reference: RouterReference & { kind: "gateway" };

	constructor(
		private readonly names: StackNames,
		private readonly settings: Settings,
	) {
		const { routerFile, serviceDirectory } = names;
		if (settings.withoutSuperuser) {
			this.replicationRole = {
				attributes: { replication: true, bypassRowLevelSecurity: false },
				roles: ["pg_read_all_data"],
			};
		}
		this.reference = { kind: "gateway", stateFile: routerFile, serviceDirectory };
	}

	server(name: string, args: ServerArgs, opts: pulumi.ComponentResourceOptions): PlacedServer {
		const { directory } = this.names;
		const { holds, maxConnections, password } = args;
		const local = {
			directory: holds === "first" ? directory : `${directory}/${holds}-server`,
			password,
			maxConnections,
			keptWalGigabytes: this.settings.keptWalGigabytes,
			withoutSuperuser: this.settings.withoutSuperuser,
			fixedPort: holds === "first" ? this.settings.databasePort : undefined,
			timeoutSeconds: this.settings.startTimeoutSeconds,
		};
		const server = new LocalServer(name, local, opts);
		return {
			host: server.host,
			port: server.port,
			administrator: this.settings.withoutSuperuser ? ADMINISTRATOR : SUPERUSER,
			password: server.password,
			// On loopback only.
			sslMode: "disable",
			resource: server,
			running: new LocalServerRunning(`${name}-running`, server, local, opts),
		};
	}

	router(name: string, opts: pulumi.ComponentResourceOptions): PlacedRouter {
		const { gatewayPort, startTimeoutSeconds } = this.settings;
		const resource = new LocalRouter(
			name,
			{ stateFile: this.reference.stateFile, port: gatewayPort, timeoutSeconds: startTimeoutSeconds },
			opts,
		);
		return { url: resource.url, reference: this.reference, resource };
	}

	service(name: string, args: ServiceArgs, opts: pulumi.ComponentResourceOptions): PlacedService {
		const { color, image: _, reachedDatabase: __, ...rest } = args;
		const { stateFile, serviceDirectory } = this.reference;
		const resource = new LocalService(
			name,
			{
				...rest,
				directory: color === "" ? serviceDirectory : `${serviceDirectory}/${color}`,
				routerFile: stateFile,
			},
			opts,
		);
		return { url: resource.url, insideUrl: resource.url, targetGroup: resource.instance, resource };
	}
}
