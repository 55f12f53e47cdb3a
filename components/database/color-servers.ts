import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { Platform } from "../platform/platform";
import type { ColorServers } from "../replication/environment";
import { COLORS, type Color } from "../replication/node";
import { GeneratedPassword } from "./password";
import { DatabaseServer } from "./server";

export interface ColorServerPairArgs {
	/** Where the stack runs. */
	platform: Platform;
	/** Begins the names of the colours' databases. */
	base: string;
	/** Connections that one colour's application may hold. */
	maxConnections: number;
	/** Whether each colour has a server of its own; else one serves both. */
	serverPerColor: boolean;
}

/** As a superuser can make it. */
const REPLICATION_ROLE = {
	attributes: {
		replication: true,
		// Else a copy would silently have only the rows that a policy shows.
		bypassRowLevelSecurity: true,
	},
	roles: ["pg_read_all_data"],
};

/** The servers that the colours live on, and the role that they copy from each other with. The first has the catalog. */
export class ColorServerPair extends pulumi.ComponentResource {
	/** The one that has the catalog and the queue. */
	readonly first: DatabaseServer;
	readonly replicationUser: pulumi.Output<string>;
	/** How the deployment reaches each colour's server; a secret as a whole. */
	readonly connections: pulumi.Output<ColorServers>;
	private readonly byColor: Record<Color, DatabaseServer>;

	constructor(name: string, args: ColorServerPairArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:database:ColorServerPair", name, {}, opts);
		const { platform, base, maxConnections, serverPerColor } = args;
		const common = { platform, maxConnections };
		const apart = serverPerColor && platform.catalogApart === true;
		this.first = new DatabaseServer(
			name,
			{ ...common, holds: apart ? "catalog" : "first" },
			{ parent: this },
		);
		const ownServer = (color: Color) =>
			new DatabaseServer(
				`${name}-${color}`,
				{ ...common, holds: color },
				{ parent: this, dependsOn: this.first },
			);
		this.byColor = {
			blue: apart ? ownServer("blue") : this.first,
			green: serverPerColor ? ownServer("green") : this.first,
		};

		const password = new GeneratedPassword(`${name}-replication-password`, {}, { parent: this });
		const { attributes, roles: memberOf } = platform.replicationRole ?? REPLICATION_ROLE;
		const roles = [...new Set([this.byColor.blue, this.byColor.green])].map(
			(server, index) =>
				new postgresql.Role(
					`${name}-replication${index === 0 ? "" : "-green"}`,
					{
						name: `${base}_replication`,
						login: true,
						...attributes,
						roles: memberOf,
						password: password.value,
					},
					{ parent: this, provider: server.provider, deletedWith: server.resource },
				),
		);
		this.replicationUser = pulumi.all(roles.map((role) => role.name)).apply(([first]) => first!);
		const [blue, green] = [this.byColor.blue.inside, this.byColor.green.inside];
		const inside = blue && green && { blue, green };
		this.connections = pulumi.secret(
			pulumi.output({
				base,
				blue: this.byColor.blue.superuserConnection,
				green: this.byColor.green.superuserConnection,
				...(inside && { inside }),
				replicationUser: this.replicationUser,
				replicationPassword: password.value,
			}),
		);
		this.registerOutputs({});
	}

	/** Each server once, the catalog's first. */
	get all(): [DatabaseServer, ...DatabaseServer[]] {
		const others = new Set(COLORS.map((color) => this.byColor[color]).filter((each) => each !== this.first));
		return [this.first, ...others];
	}

	of(color: Color): DatabaseServer {
		return this.byColor[color];
	}
}
