import type { Connection } from "../../../components/database/connection";
import type { Properties, ProviderHost, ResourceState } from "../../../engine/provider";
import type { Peer } from "./plugin";

export const host: ProviderHost = {
	log: () => {},
	projectDirectory: process.cwd(),
	project: "parity",
	stack: "test",
};

export const PROVIDER = "pulumi:providers:postgresql";

/** The provider's inputs, as the SDK sends them: numbers and flags as JSON texts. */
export function settingsOf(connection: Connection, superuser = false): Properties {
	return {
		host: connection.host,
		port: String(connection.port),
		username: connection.user,
		password: connection.password,
		database: connection.database,
		sslmode: "disable",
		superuser: String(superuser),
	};
}

export function token(module: string, name: string): string {
	return `postgresql:index/${module}:${name}`;
}

export const TOKENS = {
	role: token("role", "Role"),
	database: token("database", "Database"),
	grant: token("grant", "Grant"),
	defaultPrivileges: token("defaultPrivileges", "DefaultPrivileges"),
	grantRole: token("grantRole", "GrantRole"),
	schema: token("schema", "Schema"),
	extension: token("extension", "Extension"),
};

export function subject(type: string, name = "it") {
	return { urn: `urn:pulumi:test::parity::${type}::${name}`, type, name };
}

const NO_SEED = new Uint8Array(32);

/** One resource through its life, as the engine calls its provider; keeps every answer. */
export class Resource {
	readonly answers: unknown[] = [];
	inputs: Properties = {};
	state: ResourceState = { id: "", properties: {} };
	private readonly subject;

	constructor(
		private readonly peer: Peer,
		type: string,
		private program: Properties,
	) {
		this.subject = subject(type);
	}

	async create(interrupted = false): Promise<this> {
		this.inputs = await this.check(this.program);
		const request = { ...this.subject, inputs: this.inputs, timeoutSeconds: 0, interrupted };
		this.answers.push(await this.peer.create({ ...request, preview: true }));
		this.state = await this.peer.create({ ...request, preview: false });
		this.answers.push(this.state);
		return this;
	}

	/** What such a change of the program would do. */
	async differences(changes: Properties) {
		const news = await this.check({ ...this.program, ...changes });
		const diff = await this.diff(news);
		this.answers.push(diff);
		return diff;
	}

	/** Changes the inputs and carries the update out, unless it would be a replacement or nothing. */
	async update(changes: Properties): Promise<this> {
		this.program = { ...this.program, ...changes };
		const news = await this.check(this.program);
		const diff = await this.diff(news);
		this.answers.push(diff);
		if (diff.changes === "some" && diff.replaces.length === 0) {
			const { id, properties: olds } = this.state;
			const request = { ...this.subject, id, olds, oldInputs: this.inputs, news, ignoreChanges: [] };
			this.answers.push(await this.peer.update({ ...request, timeoutSeconds: 0, preview: true }));
			const properties = await this.peer.update({ ...request, timeoutSeconds: 0, preview: false });
			this.answers.push(properties);
			this.state = { id, properties };
		}
		this.inputs = news;
		return this;
	}

	/** Reads it anew; the state follows unless it is gone. */
	async refresh(): Promise<this> {
		const { id, properties } = this.state;
		const found = await this.peer.read({
			...this.subject,
			id,
			properties,
			inputs: this.inputs,
			timeoutSeconds: 0,
		});
		this.answers.push(found ?? "gone");
		if (found !== undefined) {
			this.state = { id: found.id, properties: found.properties };
			this.inputs = found.inputs ?? this.inputs;
		}
		return this;
	}

	/** Reads it by its id alone. */
	async adopt(): Promise<this> {
		const request = { ...this.subject, id: this.state.id, properties: {}, inputs: {}, timeoutSeconds: 0 };
		this.answers.push((await this.peer.read(request)) ?? "gone");
		return this;
	}

	/** The same resource in the hands of another provider. */
	handTo(peer: Peer): Resource {
		const other = new Resource(peer, this.subject.type, this.program);
		return Object.assign(other, { inputs: this.inputs, state: this.state });
	}

	/** What an update without a change in the program would do. */
	async changes(): Promise<string> {
		return (await this.differences({})).changes;
	}

	async delete(): Promise<this> {
		const { id, properties } = this.state;
		await this.peer.delete({ ...this.subject, id, properties, inputs: this.inputs, timeoutSeconds: 0 });
		return this;
	}

	private async check(news: Properties): Promise<Properties> {
		const olds = Object.keys(this.inputs).length > 0 ? this.inputs : undefined;
		const { inputs, failures } = await this.peer.check({ ...this.subject, olds, news, randomSeed: NO_SEED });
		this.answers.push({ inputs, failures: failures?.length ?? 0 });
		return inputs;
	}

	private async diff(news: Properties) {
		const { id, properties: olds } = this.state;
		const request = { ...this.subject, id, olds, oldInputs: this.inputs, news, ignoreChanges: [] };
		const diff = await this.peer.diff(request);
		const sorted = (names: string[] | undefined) => [...(names ?? [])].sort();
		return {
			...diff,
			replaces: sorted(diff.replaces),
			stables: sorted(diff.stables),
			diffs: sorted(diff.diffs),
		};
	}
}
