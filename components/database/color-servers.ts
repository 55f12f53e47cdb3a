import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { Platform } from "../platform/platform";
import type { ColorServers } from "../replication/environment";
import type { Color } from "../replication/node";
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

/** The servers that the colours live on, and the role that they copy from each other with. The first has the catalog. */
export class ColorServerPair extends pulumi.ComponentResource {
	readonly first: DatabaseServer;
	readonly replicationUser: pulumi.Output<string>;
	/** How the deployment reaches each colour's server; a secret as a whole. */
	readonly connections: pulumi.Output<ColorServers>;
	private readonly byColor: Record<Color, DatabaseServer>;

	constructor(name: string, args: ColorServerPairArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:database:ColorServerPair", name, {}, opts);
		const { platform, base, maxConnections, serverPerColor } = args;
		const common = { platform, maxConnections };
		this.first = new DatabaseServer(name, { ...common, holds: "first" }, { parent: this });
		const second = serverPerColor
			? new DatabaseServer(
					`${name}-green`,
					{ ...common, holds: "green" },
					{ parent: this, dependsOn: this.first },
				)
			: this.first;
		this.byColor = { blue: this.first, green: second };

		const password = new GeneratedPassword(`${name}-replication-password`, { parent: this });
		const roles = [...new Set([this.first, second])].map(
			(server, index) =>
				new postgresql.Role(
					`${name}-replication${index === 0 ? "" : "-green"}`,
					{
						name: `${base}_replication`,
						login: true,
						replication: true,
						// Else a copy would silently have only the rows that a policy shows.
						bypassRowLevelSecurity: true,
						roles: ["pg_read_all_data"],
						password: password.value,
					},
					{ parent: this, provider: server.provider, deletedWith: server.resource },
				),
		);
		this.replicationUser = pulumi.all(roles.map((role) => role.name)).apply(([first]) => first!);
		const inside = this.first.inside && second.inside && { blue: this.first.inside, green: second.inside };
		this.connections = pulumi.secret(
			pulumi.output({
				base,
				blue: this.first.superuserConnection,
				green: second.superuserConnection,
				...(inside && { inside }),
				replicationUser: this.replicationUser,
				replicationPassword: password.value,
			}),
		);
		this.registerOutputs({});
	}

	/** Each server once, the catalog's first. */
	get all(): [DatabaseServer, ...DatabaseServer[]] {
		return this.byColor.green === this.first ? [this.first] : [this.first, this.byColor.green];
	}

	of(color: Color): DatabaseServer {
		return this.byColor[color];
	}
}
