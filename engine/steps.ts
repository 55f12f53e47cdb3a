/** The steps of an update: what each does to the world and to the state. */
import { type Diff, invert, NO_DIFF } from "./diff";
import { EngineError } from "./errors";
import type { ManagedProvider, Outcome } from "./managedProvider";
import type { ProviderRegistry } from "./providerRegistry";
import type { OperationType, ResourceState } from "./state";
import { isProviderType, UNKNOWN_ID } from "./urn";
import { equal, keepCiphertexts, markSecret, type PropertyMap, Secret } from "./values";

export type Op =
	| "same"
	| "create"
	| "update"
	| "delete"
	| "replace"
	| "create-replacement"
	| "delete-replaced"
	| "read"
	| "read-replacement"
	| "discard"
	| "discard-replaced"
	| "remove-pending-replace"
	| "refresh";

export interface Step {
	op: Op;
	urn: string;
	type: string;
	old?: ResourceState;
	new?: ResourceState;
	/** Why it is done, for display. */
	diff?: Diff;
	/** Called with the new state once it is saved. */
	answer?: (state: ResourceState) => void;
	/** Of a creation: the old resource is deleted at the end of the update. */
	deleteOldLater?: boolean;
	/** Of a deletion: the replacement is still to be created. */
	replacementFollows?: boolean;
	/** Of a refresh: the resource is gone. */
	gone?: boolean;
	/** Of a refresh: what the world has become different in. */
	drift?: Diff;
}

export interface StepContext {
	preview: boolean;
	providers: ProviderRegistry;
	/** URNs that this update deletes. */
	deletions: ReadonlySet<string>;
	/** Whether an earlier update was stopped while it created the resource. */
	wasInterrupted(urn: string): boolean;
	warn(urn: string, message: string): void;
}

/** The pending operation that a step leaves in the state while it runs; undefined when it only changes the state. */
export function operationOf(step: Step): { state: ResourceState; type: OperationType } | undefined {
	switch (step.op) {
		case "create":
		case "create-replacement":
			return { state: step.new!, type: "creating" };
		case "update":
			return { state: step.new!, type: "updating" };
		case "delete":
		case "delete-replaced":
		case "discard":
		case "discard-replaced":
			return { state: step.old!, type: "deleting" };
		case "read":
		case "read-replacement":
			return { state: step.new!, type: "reading" };
		default:
			return undefined;
	}
}

function providerOf(state: ResourceState, context: StepContext): Promise<ManagedProvider> {
	return context.providers.ensure(state.provider);
}

/**
 * Does the step. The states that it holds are changed to what is then true.
 * @returns the message of a resource that is there but not as it should be; undefined when all went well.
 * @throws what the provider threw when nothing was done.
 */
export async function applyStep(step: Step, context: StepContext): Promise<string | undefined> {
	switch (step.op) {
		case "same":
			return applySame(step, context);
		case "create":
		case "create-replacement":
			return applyCreate(step, context);
		case "update":
			return applyUpdate(step, context);
		case "delete":
		case "delete-replaced":
		case "discard":
		case "discard-replaced":
			return applyDelete(step, context);
		case "read":
		case "read-replacement":
			return applyRead(step, context);
		case "refresh":
			return applyRefresh(step, context);
		case "replace":
		case "remove-pending-replace":
			return undefined;
	}
}

async function applySame(step: Step, context: StepContext): Promise<undefined> {
	const [old, state] = [step.old!, step.new!];
	state.id = old.id;
	state.outputs = sealOutputs(old.outputs, state);
	keepCiphertexts(state.inputs, old.inputs);
	if (isProviderType(state.type)) await context.providers.same({ ...state, inputs: old.inputs });
	return undefined;
}

async function applyCreate(step: Step, context: StepContext): Promise<string | undefined> {
	const state = step.new!;
	let outcome: Outcome = { id: "", outputs: {}, initErrors: [] };
	if (isProviderType(state.type)) outcome = await context.providers.create(state, context.preview);
	else if (state.custom) {
		const provider = await providerOf(state, context);
		outcome = await provider.create(state, context.preview, context.wasInterrupted(state.urn));
	}
	const now = new Date().toISOString();
	state.id = outcome.id;
	state.created = now;
	state.modified = now;
	settle(state, outcome, step.old);
	if (step.deleteOldLater === true) step.old!.delete = true;
	return outcome.message;
}

async function applyUpdate(step: Step, context: StepContext): Promise<string | undefined> {
	const [old, state] = [step.old!, step.new!];
	state.id = old.id;
	state.created = old.created;
	state.modified = old.modified;
	if (!state.custom) return undefined;
	const outcome = isProviderType(state.type)
		? await context.providers.update(state, old.id)
		: await (await providerOf(state, context)).update(old, state, context.preview);
	settle(state, outcome, old);
	state.modified = new Date().toISOString();
	return outcome.message;
}

/** Takes over what an operation left, and makes secret what must be. */
function settle(state: ResourceState, outcome: Outcome, old: ResourceState | undefined): void {
	state.initErrors = outcome.initErrors;
	state.outputs = sealOutputs(outcome.outputs, state);
	keepCiphertexts(state.inputs, old?.inputs);
	keepCiphertexts(state.outputs, old?.outputs);
}

/** Outputs are secret when the program says so, or when the input of the same name is. */
function sealOutputs(outputs: PropertyMap, state: ResourceState): PropertyMap {
	const secretInputs = Object.keys(state.inputs).filter((key) => state.inputs[key] instanceof Secret);
	return markSecret(outputs, [...state.additionalSecretOutputs, ...secretInputs]);
}

export function protectedMessage(urn: string): string {
	return (
		`resource "${urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, ` +
		"either remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`, " +
		`or use the command:\n\`pulumi state unprotect '${urn}'\``
	);
}

/** A deletion that protection forbids; other deletions may go on. */
export class ProtectedError extends EngineError {}

async function applyDelete(step: Step, context: StepContext): Promise<undefined> {
	const old = step.old!;
	const replacing = step.op === "delete-replaced" || step.op === "discard-replaced";
	if (!replacing && old.protect) throw new ProtectedError(protectedMessage(old.urn));
	const left = old.external || old.retainOnDelete || !old.custom || isProviderType(old.type);
	const goesWithAnother = old.deletedWith !== "" && context.deletions.has(old.deletedWith);
	if (!context.preview && !left && !goesWithAnother) await (await providerOf(old, context)).delete(old);
	if (step.replacementFollows === true) old.pendingReplacement = true;
	return undefined;
}

async function applyRead(step: Step, context: StepContext): Promise<string | undefined> {
	const { old } = step;
	const state = step.new!;
	let message: string | undefined;
	if (state.id === UNKNOWN_ID) {
		state.outputs = {};
	} else {
		const provider = await providerOf(state, context);
		const seconds = state.customTimeouts.read ?? 0;
		const found = await provider.read(state.urn, state.id, state.inputs, state.inputs, seconds);
		if (found === undefined) throw new EngineError(`resource '${state.id}' does not exist`);
		state.id = found.id;
		settle(state, found, old);
		message = found.message;
	}
	if (step.op === "read-replacement") old!.delete = true;
	if (old !== undefined) {
		state.created = old.created;
		state.modified = old.modified;
		if (!equal(old.inputs, state.inputs) || !equal(old.outputs, state.outputs)) {
			state.modified = new Date().toISOString();
		}
	}
	return message;
}

async function applyRefresh(step: Step, context: StepContext): Promise<undefined> {
	const old = step.old!;
	step.new = old;
	step.drift = NO_DIFF;
	if (!old.custom || isProviderType(old.type) || old.pendingReplacement) return undefined;
	const provider = await providerOf(old, context);
	const found = await provider.read(old.urn, old.id, old.inputs, old.outputs, old.customTimeouts.read ?? 0);
	if (found === undefined) {
		step.gone = true;
		step.new = undefined;
		return undefined;
	}
	const state: ResourceState = { ...old, id: found.id, inputs: found.inputs ?? old.inputs };
	settle(state, found, old);
	if (found.initErrors.length > 0) {
		context.warn(old.urn, `Refreshed resource is in an unhealthy state:\n* ${found.initErrors.join("\n* ")}`);
	}
	if (!equal(state.inputs, old.inputs) || !equal(state.outputs, old.outputs)) {
		state.modified = new Date().toISOString();
	}
	if (old.external) {
		step.drift = equal(old.outputs, state.outputs) ? NO_DIFF : { ...NO_DIFF, changed: true };
	} else {
		step.drift = invert(await provider.diff(state, old.inputs, old.ignoreChanges));
	}
	step.new = state;
	return undefined;
}
