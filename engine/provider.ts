/**
 * What a provider is to the engine: the ResourceProvider protocol of Pulumi on plain JavaScript values.
 *
 * Secrets arrive unwrapped. The engine wraps them again by property name: the names in the resource's
 * `additionalSecretOutputs`, those that `secretProperties` gives for its type, and those whose input of the same
 * name was secret. A provider therefore never marks anything secret itself, and must not log what it is given.
 *
 * During a preview, and only then, a value that is not known yet is `UNKNOWN`, at any depth. It can arrive in
 * `checkConfig`, `diffConfig`, `check`, `diff`, `create`, `update`, `read` and `invoke`, and may be returned from
 * each of them.
 */

/** Stands for a value that will be known only once the update really runs. */
export const UNKNOWN: unique symbol = Symbol.for("pulumi.unknown");

export type Unknown = typeof UNKNOWN;

/** A property's value as a provider sees it. */
export type Value = null | boolean | number | string | Unknown | Value[] | { [key: string]: Value };

/** The inputs or the outputs of a resource. A property that is absent has no key; `null` is a value of its own. */
export type Properties = { [key: string]: Value };

/** Which resource a call is about, e.g. `urn:pulumi:dev::counting::postgresql:index/role:Role::owner`. */
export interface Subject {
	urn: string;
	/** The type token, e.g. `postgresql:index/role:Role`. */
	type: string;
	/** The logical name, the last part of the URN. */
	name: string;
}

export interface CheckFailure {
	/** The input that is wrong, or an empty string when it is none of them alone. */
	property: string;
	reason: string;
}

/** Inputs after defaults and normalisation: these are what the state keeps and what `diff` gets as `news`. */
export interface CheckResult {
	inputs: Properties;
	/** Any failure stops the update before the resource is touched. */
	failures?: CheckFailure[];
}

export type PropertyChange =
	| "add"
	| "add-replace"
	| "delete"
	| "delete-replace"
	| "update"
	| "update-replace";

export interface DiffResult {
	/** `unknown` leaves the decision to the engine, which compares the old inputs with the new ones. */
	changes: "none" | "some" | "unknown";
	/** The properties whose change cannot be made in place: if any is named, the resource is replaced. */
	replaces?: string[];
	/** The properties that keep their output value through an update. */
	stables?: string[];
	/** The properties that changed, for display. */
	diffs?: string[];
	/** The changes by property path (`pool.size`, `ports[0]`), for display; takes precedence over `diffs`. */
	detailed?: { [path: string]: { kind: PropertyChange; inputDiff?: boolean } };
	/** The old resource has to be gone before its replacement can be created (e.g. both would have one name). */
	deleteBeforeReplace?: boolean;
}

/** What a resource is after an operation. */
export interface ResourceState {
	id: string;
	/** The outputs: everything the state shall know, inputs included where they are also outputs. */
	properties: Properties;
}

/** What `read` found. `inputs` are those a program would have to give to get this state. */
export interface ReadResult extends ResourceState {
	inputs?: Properties;
}

export interface CheckRequest extends Subject {
	/** The inputs of the last update; absent when the resource is new or to be replaced. */
	olds?: Properties;
	news: Properties;
	/** Seed for generated names, the same in a preview and the update after it. */
	randomSeed: Uint8Array;
}

export interface DiffRequest extends Subject {
	id: string;
	/** The outputs of the last operation. */
	olds: Properties;
	/** The inputs of the last operation. */
	oldInputs: Properties;
	/** The checked new inputs. */
	news: Properties;
	/** Property paths whose changes the program wants ignored (the engine has already reset them in `news`). */
	ignoreChanges: string[];
}

export interface CreateRequest extends Subject {
	/** The checked inputs. */
	inputs: Properties;
	/** The time the program allows, in seconds; 0 means that it says nothing. */
	timeoutSeconds: number;
	/** Nothing may be changed; answer with the outputs as far as they can be told, an empty `id` if it cannot. */
	preview: boolean;
	/**
	 * An earlier update was stopped while it created this resource (a pending operation in the state), so that it may
	 * exist already: then it is taken over and brought to the wanted inputs. Without it, an existing one is an error.
	 */
	interrupted?: boolean;
}

export interface ReadRequest extends Subject {
	id: string;
	/** The outputs as last known, empty when a program reads a resource for the first time. */
	properties: Properties;
	/** The inputs as last known. */
	inputs: Properties;
	timeoutSeconds: number;
}

export interface UpdateRequest extends DiffRequest {
	timeoutSeconds: number;
	/** As for `create`. */
	preview: boolean;
}

export interface DeleteRequest extends Subject {
	id: string;
	/** The outputs as last known. */
	properties: Properties;
	inputs: Properties;
	timeoutSeconds: number;
}

export interface InvokeRequest {
	/** The function's token, e.g. `postgresql:index/getSchemas:getSchemas`. */
	token: string;
	args: Properties;
	preview: boolean;
}

export interface InvokeResult {
	result: Properties;
	failures?: CheckFailure[];
}

/** The provider resource itself, e.g. `new postgresql.Provider("db", {...})` or the default provider. */
export interface ConfigRequest extends Subject {
	/** The inputs of the last update; absent when there was none. */
	olds?: Properties;
	news: Properties;
}

/**
 * One configured provider: the engine makes one instance for each provider resource in the stack, by the factory that
 * `engine/providers.ts` has for the package. Calls come in parallel. Any method may throw: the message becomes the
 * resource's error. A create or update that leaves something half done throws `ResourceInitFailed`.
 */
export interface Provider {
	/** The version of the plugin it stands in for. */
	readonly version: string;
	/** Whether `create` and `update` are to be called in previews too; else every output is `UNKNOWN` there. */
	readonly supportsPreview: boolean;
	/** Names the properties that are secret by the schema, in inputs and outputs of this resource type. */
	secretProperties(type: string): readonly string[];

	/** Checks the provider resource's own inputs. */
	checkConfig(request: ConfigRequest): Promise<CheckResult>;
	/** Compares the provider resource's own inputs; naming `replaces` replaces everything that it made. */
	diffConfig(request: ConfigRequest & { olds: Properties }): Promise<DiffResult>;
	/** Takes the checked inputs. Called once, before every method below; values may be `UNKNOWN` in a preview. */
	configure(inputs: Properties): Promise<void>;

	check(request: CheckRequest): Promise<CheckResult>;
	diff(request: DiffRequest): Promise<DiffResult>;
	create(request: CreateRequest): Promise<ResourceState>;
	/** The resource as it really is, or `undefined` when it is gone. */
	read(request: ReadRequest): Promise<ReadResult | undefined>;
	/** The outputs after the update; the id stays. */
	update(request: UpdateRequest): Promise<Properties>;
	/** Succeeds when the resource is already gone. */
	delete(request: DeleteRequest): Promise<void>;
	invoke(request: InvokeRequest): Promise<InvokeResult>;

	/** Asked once when the operator interrupts: running operations should end soon. */
	cancel(): Promise<void>;
	/** Gives back connections and processes. Called once, last, also after failures. */
	close(): Promise<void>;
}

/** What a provider may ask of the engine. */
export interface ProviderHost {
	/** Shows a message to the operator; under the resource's diagnostics when its URN is given. */
	log(severity: "debug" | "info" | "warning" | "error", message: string, urn?: string): void;
	/** The program's directory. */
	readonly projectDirectory: string;
	readonly project: string;
	readonly stack: string;
}

export type ProviderFactory = (host: ProviderHost) => Promise<Provider> | Provider;

/**
 * The resource exists but is not what it should be. It is kept in the state with its `reasons`, the update fails, and
 * the next update runs `update` on it.
 */
export class ResourceInitFailed extends Error {
	override readonly name = "ResourceInitFailed";

	constructor(
		message: string,
		readonly id: string,
		readonly properties: Properties,
		readonly reasons: string[],
		readonly inputs?: Properties,
	) {
		super(message);
	}
}

/** Whether a value contains `UNKNOWN` at any depth. */
export function containsUnknown(value: Value | undefined): boolean {
	if (value === UNKNOWN) return true;
	if (Array.isArray(value)) return value.some(containsUnknown);
	if (typeof value === "object" && value !== null) return Object.values(value).some(containsUnknown);
	return false;
}
