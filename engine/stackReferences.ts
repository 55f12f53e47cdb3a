/** The engine's own package, `pulumi`: references to other stacks, and resources by their URN. */
import { EngineError } from "./errors";
import { type Invocation, ManagedProvider, type Outcome } from "./managedProvider";
import type { CheckResult, DiffResult, Provider } from "./provider";
import type { ResourceState } from "./state";
import { byBytes } from "./state";
import { containsSecrets, type PropertyMap } from "./values";

const STACK_REFERENCE = "pulumi:pulumi:StackReference";

/** Reads the outputs of a stack by its name, secrets as secrets. */
export type ReadStackOutputs = (name: string) => Promise<PropertyMap>;

/** Finds a resource that this update has registered or read. */
export type FindResource = (urn: string) => ResourceState | undefined;

/** Stands where a provider is asked for; everything is answered by `BuiltinPackage`. */
class NoProvider implements Provider {
	readonly version = "";
	readonly supportsPreview = true;

	secretProperties(): readonly string[] {
		return [];
	}
	async checkConfig(): Promise<CheckResult> {
		return { inputs: {} };
	}
	async diffConfig(): Promise<DiffResult> {
		return { changes: "none" };
	}
	async configure(): Promise<void> {}
	check(): never {
		throw new EngineError(
			`the package 'pulumi' has one resource to read, ${STACK_REFERENCE}, and none to create`,
		);
	}
	diff(): never {
		return this.check();
	}
	create(): never {
		return this.check();
	}
	read(): never {
		return this.check();
	}
	update(): never {
		return this.check();
	}
	invoke(): never {
		return this.check();
	}
	async delete(): Promise<void> {}
	async cancel(): Promise<void> {}
	async close(): Promise<void> {}
}

export class BuiltinPackage extends ManagedProvider {
	constructor(
		private readonly readOutputs: ReadStackOutputs,
		private readonly find: FindResource,
	) {
		super(new NoProvider());
	}

	override async read(urn: string, id: string, inputs: PropertyMap): Promise<Outcome> {
		if (!urn.includes(STACK_REFERENCE)) throw new EngineError(`unrecognized resource type in ${urn}`);
		return { id, inputs, outputs: await this.stackReference(inputs), initErrors: [] };
	}

	private async stackReference(inputs: PropertyMap): Promise<PropertyMap> {
		const { name } = inputs;
		if (typeof name !== "string") throw new EngineError(`a ${STACK_REFERENCE} needs the name of a stack`);
		const outputs = await this.readOutputs(name);
		const secretOutputNames = Object.keys(outputs)
			.filter((key) => containsSecrets(outputs[key]!))
			.sort(byBytes);
		return { name, outputs, secretOutputNames };
	}

	override async invoke(token: string, args: PropertyMap): Promise<Invocation> {
		switch (token) {
			case "pulumi:pulumi:readStackOutputs":
				return { result: await this.stackReference(args), failures: [] };
			case "pulumi:pulumi:getResource":
				return { result: this.resource(String(args.urn)), failures: [] };
			default:
				throw new EngineError(`unrecognized function name: '${token}'`);
		}
	}

	private resource(urn: string): PropertyMap {
		const state = this.find(urn);
		if (state === undefined) throw new EngineError(`unknown resource ${urn}`);
		return { urn, id: state.id, provider: state.provider, state: state.outputs };
	}
}
