import {
	type ConfigRequest,
	type CreateRequest,
	type DeleteRequest,
	type DiffResult,
	type InvokeResult,
	type Properties,
	type Provider,
	type ProviderFactory,
	type ReadRequest,
	type ReadResult,
	type ResourceState,
	UNKNOWN,
	type UpdateRequest,
} from "../provider";
import { check } from "./check";
import { database } from "./database";
import { defaultPrivileges } from "./default-privileges";
import { diff } from "./diff";
import { extension } from "./extension";
import { grant } from "./grant";
import { grantRole } from "./grant-role";
import type { Context, Handler } from "./handler";
import { applied, inputsOf, previewed, refreshed } from "./outputs";
import { changedProperties, plan } from "./plan";
import { RESOURCE_TYPES, resourceType } from "./properties";
import { role } from "./role";
import { schema } from "./schema";
import { Sessions } from "./session";
import { checkSettings, parseSettings } from "./settings";
import { text } from "./values";

/** The version of the plugin whose state this provider writes and understands. */
export const PLUGIN_VERSION = "3.18.1";

const HANDLERS: { readonly [token: string]: Handler } = {
	"postgresql:index/role:Role": role,
	"postgresql:index/database:Database": database,
	"postgresql:index/grant:Grant": grant,
	"postgresql:index/defaultPrivileges:DefaultPrivileges": defaultPrivileges,
	"postgresql:index/grantRole:GrantRole": grantRole,
	"postgresql:index/schema:Schema": schema,
	"postgresql:index/extension:Extension": extension,
};

const PROVIDER_TYPE = "pulumi:providers:postgresql";

/**
 * Stands in for the plugin of `@pulumi/postgresql`, for the resource types that deployments use. Its checks, ids,
 * outputs, secrets and decisions are the plugin's, so that each can go on where the other stopped. It needs
 * PostgreSQL 13 and differs from the plugin where that helps:
 * - what is already gone is deleted without complaint;
 * - passwords leave this process only as hashes;
 * - a user that is no superuser acts for the owner of a database too, whose privileges the plugin then leaves alone
 *   without a word, and gets into databases that are closed to it;
 * - a role or database that an interrupted create left behind is taken over.
 */
export const createPostgresqlProvider: ProviderFactory = () => new PostgresqlProvider();

class PostgresqlProvider implements Provider {
	readonly version = PLUGIN_VERSION;
	readonly supportsPreview = true;
	private sessions: Sessions | undefined;

	secretProperties(type: string): readonly string[] {
		if (type === PROVIDER_TYPE) {
			return ["password"];
		}
		const properties = RESOURCE_TYPES[type]?.properties ?? {};
		return Object.keys(properties).filter((name) => properties[name]?.secret);
	}

	async checkConfig({ news }: ConfigRequest) {
		const inputs = Object.fromEntries(Object.entries(news).filter(([, value]) => value !== null));
		return { inputs, failures: checkSettings(inputs) };
	}

	async diffConfig({ olds, news }: ConfigRequest & { olds: Properties }): Promise<DiffResult> {
		const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
			(name) => !name.startsWith("__") && (olds[name] ?? null) !== (news[name] ?? null),
		);
		return { changes: names.length > 0 ? "some" : "none", diffs: names.sort() };
	}

	async configure(inputs: Properties): Promise<void> {
		const settings = parseSettings(inputs);
		this.sessions = settings && new Sessions(settings);
	}

	async check(request: Parameters<Provider["check"]>[0]) {
		return check(request);
	}

	async diff(request: Parameters<Provider["diff"]>[0]): Promise<DiffResult> {
		return diff(request);
	}

	async create(request: CreateRequest): Promise<ResourceState> {
		const type = resourceType(request.type);
		const planned = plan(type, request.inputs);
		if (request.preview) {
			return { id: "", properties: previewed(type, UNKNOWN, planned) };
		}
		const { inputs, interrupted = false } = request;
		const found = await handlerOf(request.type).create(this.context(request), {
			planned,
			inputs,
			interrupted,
		});
		return { id: found.id, properties: applied(type, found.id, planned, found.properties) };
	}

	async read(request: ReadRequest): Promise<ReadResult | undefined> {
		const type = resourceType(request.type);
		const isFirst = Object.keys(request.properties).length === 0;
		// After a rename the engine still has the first id, the properties have the current one.
		const id = text(request.properties, "id") || request.id;
		const found = await handlerOf(request.type).read(this.context(request), id, request.properties);
		if (found === undefined) {
			return undefined;
		}
		const properties = refreshed(type, found.id, request.properties, found.properties);
		return { id: found.id, properties, inputs: inputsOf(type, properties, isFirst ? {} : request.inputs) };
	}

	async update(request: UpdateRequest): Promise<Properties> {
		const type = resourceType(request.type);
		const { olds: prior, news: inputs } = request;
		const planned = plan(type, inputs, prior);
		const id = prior.id ?? request.id;
		if (request.preview) {
			return previewed(type, id, planned);
		}
		const changed = new Set(changedProperties(type, prior, planned));
		const change = { prior, planned, inputs, changed };
		const found = await handlerOf(request.type).update(this.context(request), change);
		return applied(type, found.id, planned, found.properties, prior);
	}

	async delete(request: DeleteRequest): Promise<void> {
		resourceType(request.type);
		await handlerOf(request.type).delete(this.context(request), request.properties);
	}

	async invoke({ token }: Parameters<Provider["invoke"]>[0]): Promise<InvokeResult> {
		throw new Error(`${token} is not known to the embedded engine: install the Pulumi CLI`);
	}

	async cancel(): Promise<void> {
		this.sessions?.cancel();
	}

	async close(): Promise<void> {
		this.sessions?.cancel();
	}

	private context({ timeoutSeconds }: { timeoutSeconds: number }): Context {
		if (this.sessions === undefined) {
			throw new Error("the postgresql provider's settings are not known yet: run the update itself");
		}
		return { sessions: this.sessions, timeoutSeconds };
	}
}

function handlerOf(token: string): Handler {
	const handler = HANDLERS[token];
	if (handler === undefined) {
		throw new Error(`${token} is not known to the embedded engine: install the Pulumi CLI`);
	}
	return handler;
}
