import * as pulumi from "@pulumi/pulumi";

/** A resource as a program has declared it. */
export interface Declared {
	type: string;
	name: string;
	inputs: Record<string, unknown>;
	/** The names of what it waits for, sorted. */
	waitsFor: string[];
	/** Names of inputs whose changes are not its declaration's business. */
	ignores: string[];
	/** What is deleted after it at the earliest: what it waits for, its parent and its provider, as `type name`. */
	standsOn: string[];
	/** Whether it stays where it is when the stack no longer has it. */
	retained: boolean;
	/** What else the engine is told of it: whose child it is, by which provider it is made, and what is set of the rest. */
	options: Record<string, unknown>;
}

/** What answers in the place of a cloud. */
export interface MockedCloud {
	/** What it adds to a new resource, as far as others need it. */
	answered(type: string, name: string): Record<string, unknown>;
	/** What it says when it is asked for something that is there; left out where a program must not ask. */
	asked?(token: string): Record<string, unknown>;
}

/** What the SDK sends to register a resource, as far as it is looked at here. */
interface Registration {
	getType(): string;
	getName(): string;
	getDependenciesList(): string[];
	getIgnorechangesList(): string[];
	getRetainondelete(): boolean;
	getParent(): string;
	getProvider(): string;
	getProtect(): boolean | undefined;
	getDeletebeforereplacedefined(): boolean;
	getDeletebeforereplace(): boolean;
	getReplaceonchangesList(): string[];
	getDeletedwith(): string;
	getCustomtimeouts(): { toObject(): Record<string, string> } | undefined;
}

/** What a program declares on a stack that has nothing yet. */
export async function declaredOn(
	stack: string,
	{ answered, asked }: MockedCloud,
	program: () => unknown,
): Promise<Declared[]> {
	const declared: Declared[] = [];
	await pulumi.runtime.setMocks(
		{
			newResource: ({ type, name, inputs }) => {
				const unsent = { waitsFor: [], standsOn: [], ignores: [], retained: false, options: {} };
				declared.push({ type, name, inputs, ...unsent });
				return { id: `${name}-id`, state: { ...inputs, ...answered(type, name) } };
			},
			call: ({ token }) => {
				if (asked === undefined) {
					throw new Error(`the program asks the cloud for ${token}`);
				}
				return asked(token);
			},
		},
		"camera-counting",
		stack,
		false,
	);
	const sent = watchRegistrations();
	await new Promise<void>((resolve) => {
		const result: pulumi.Output<unknown> = pulumi.output(program());
		result.apply(() => resolve());
	});
	await pulumi.runtime.disconnect();
	return declared.map((each) => ({ ...each, ...sent.get(`${each.type} ${each.name}`) }));
}

/** What a destroy can delete although the guard refuses it: all that the guard does not stand on, be it by way of others. */
export function unguarded(declared: readonly Declared[]): string[] {
	const keyOf = (each: Declared) => `${each.type} ${each.name}`;
	const byKey = new Map(declared.map((each) => [keyOf(each), each]));
	const below = new Set(["pulumi-nodejs:dynamic/guards:DestroyGuard destroy-guard"]);
	for (const key of below) {
		for (const next of byKey.get(key)?.standsOn ?? []) {
			below.add(next);
		}
	}
	// Components are nothing by themselves.
	return [...byKey.keys()].filter((key) => !below.has(key) && !key.startsWith("camera-counting:")).sort();
}

type Sent = Omit<Declared, "type" | "name" | "inputs">;

/** As `type name`; a URN has the types of all parents before its own. */
function keyOfUrn(urn: string): string {
	const [types = "", name = ""] = urn.split("::").slice(-2);
	return `${types.split("$").at(-1)} ${name}`;
}

/** A reference has the provider's id after its URN. */
function keyOfProvider(request: Registration): string {
	return keyOfUrn(request.getProvider().split("::").slice(0, -1).join("::"));
}

function optionsOf(request: Registration): Record<string, unknown> {
	const { create, update, delete: deletion } = request.getCustomtimeouts()?.toObject() ?? {};
	const options = {
		parent: request.getParent() && keyOfUrn(request.getParent()),
		provider: request.getProvider() && keyOfProvider(request),
		protect: request.getProtect(),
		deleteBeforeReplace: request.getDeletebeforereplacedefined() && request.getDeletebeforereplace(),
		replaceOnChanges: request.getReplaceonchangesList().join(", "),
		deletedWith: request.getDeletedwith() && keyOfUrn(request.getDeletedwith()),
		timeouts: [create, update, deletion].filter(Boolean).join(", "),
	};
	return Object.fromEntries(Object.entries(options).filter(([, value]) => value));
}

/** Mocks are not told what a resource waits for: it is read from what the SDK sends. */
function watchRegistrations(): Map<string, Sent> {
	const found = new Map<string, Sent>();
	const monitor = pulumi.runtime.getMonitor() as unknown as {
		registerResource(request: Registration, ...rest: unknown[]): unknown;
	};
	const register = monitor.registerResource.bind(monitor);
	monitor.registerResource = (request, ...rest) => {
		const names = request.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? "");
		found.set(`${request.getType()} ${request.getName()}`, {
			waitsFor: [...new Set(names)].sort(),
			standsOn: [
				...request.getDependenciesList().map(keyOfUrn),
				keyOfUrn(request.getParent()),
				keyOfProvider(request),
			],
			ignores: request.getIgnorechangesList(),
			retained: request.getRetainondelete(),
			options: optionsOf(request),
		});
		return register(request, ...rest);
	};
	return found;
}

/** How many there are of each type. */
export function counted(declared: readonly Declared[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const { type } of declared) {
		counts[type] = (counts[type] ?? 0) + 1;
	}
	return counts;
}

/** What a dynamic resource is given, as its provider gets it. */
export function nodeInputs(
	declared: readonly Declared[],
	type: string,
	name: string,
): Record<string, unknown> {
	const found = declared.filter(
		(each) => each.type === `pulumi-nodejs:dynamic/${type}` && each.name === name,
	);
	if (found.length !== 1) {
		throw new Error(`${found.length} resources are a ${type} named ${name}`);
	}
	return found[0]!.inputs;
}
