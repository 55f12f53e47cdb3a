import * as pulumi from "@pulumi/pulumi";

/** A resource as a program has declared it. */
export interface Declared {
	type: string;
	name: string;
	inputs: Record<string, unknown>;
	/** The names of what it waits for, sorted. */
	waitsFor: string[];
}

/** What the SDK sends to register a resource, as far as it is looked at here. */
interface Registration {
	getType(): string;
	getName(): string;
	getDependenciesList(): string[];
}

/**
 * What a program declares on a stack that has nothing yet, with a cloud that gives each resource an id and what
 * `outputs` says.
 */
export async function declaredBy(
	stack: string,
	outputs: (type: string, name: string) => Record<string, unknown>,
	program: () => unknown,
): Promise<Declared[]> {
	const declared: Declared[] = [];
	await pulumi.runtime.setMocks(
		{
			newResource: ({ type, name, inputs }) => {
				declared.push({ type, name, inputs, waitsFor: [] });
				return { id: `${name}-id`, state: { ...inputs, ...outputs(type, name) } };
			},
			call: ({ token }) => {
				throw new Error(`the program asks the cloud for ${token}`);
			},
		},
		"camera-counting",
		stack,
		false,
	);
	const dependencies = watchDependencies();
	await new Promise<void>((resolve) => {
		const result: pulumi.Output<unknown> = pulumi.output(program());
		result.apply(() => resolve());
	});
	await pulumi.runtime.disconnect();
	return declared.map((each) => ({ ...each, waitsFor: dependencies.get(`${each.type} ${each.name}`) ?? [] }));
}

/** Mocks are not told what a resource waits for: it is read from what the SDK sends. */
function watchDependencies(): Map<string, string[]> {
	const found = new Map<string, string[]>();
	const monitor = pulumi.runtime.getMonitor() as unknown as {
		registerResource(request: Registration, ...rest: unknown[]): unknown;
	};
	const register = monitor.registerResource.bind(monitor);
	monitor.registerResource = (request, ...rest) => {
		const names = request.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? "");
		found.set(`${request.getType()} ${request.getName()}`, [...new Set(names)].sort());
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
