import type { dynamic } from "@pulumi/pulumi";
import type { z } from "zod";
import { UnhealthyResource, unhealthyOnRead } from "./unhealthy";

/** What Pulumi sends in place of a value that is known only once the update runs. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The plain functions behind a kind of resource. Outputs always contain the inputs. */
export interface Definition<Inputs extends object, Outputs extends Inputs> {
	/** Every input has its key here; what else Pulumi adds to the properties is dropped. */
	inputs: z.ZodType<Inputs> & { shape: object };
	outputs: z.ZodType<Outputs>;
	/** Names of inputs whose change needs a new resource; the old one lives until the new one serves. */
	replaceOn?: readonly (keyof Inputs & string)[];
	/** Names of inputs whose change alone calls for nothing. */
	ignore?: readonly (keyof Inputs & string)[];
	/** Names of outputs that an update leaves as they are. */
	stables?: readonly (keyof Outputs & string)[];
	/** Whether what is wanted calls for anything in this update; while it does not, no difference does. */
	isDue?(wanted: Record<string, unknown>): boolean;
	create(inputs: Inputs): Promise<{ id: string; outputs: Outputs }>;
	update(id: string, inputs: Inputs, olds: Outputs): Promise<Outputs>;
	delete(id: string, outputs: Outputs): Promise<void>;
	/** The output whose loss calls for a new resource beside the old one, when reality is not as the outputs say. */
	replaceStale?: keyof Outputs & string;
	/** Whether reality is as the outputs say; asked by each preview and update, so it changes nothing. */
	isCurrent?(id: string, outputs: Outputs): Promise<boolean>;
	/**
	 * The outputs as they really are, or undefined when the resource is gone; throws UnhealthyResource when they are not
	 * as they should be.
	 */
	read?(id: string, outputs: Outputs): Promise<Outputs | undefined>;
}

/** Translates between Pulumi's dynamic provider protocol and plain functions. */
export function defineProvider<Inputs extends object, Outputs extends Inputs>(
	definition: Definition<Inputs, Outputs>,
): Required<Omit<dynamic.ResourceProvider, "configure">> {
	const inputKeys = Object.keys(definition.inputs.shape);
	const parseInputs = (values: object) => definition.inputs.parse(withoutMeta(values));
	const parseOutputs = (values: object) => definition.outputs.parse(withoutMeta(values));
	return {
		async check(_olds, news) {
			const result = hasUnknown(news) ? undefined : definition.inputs.safeParse(withoutMeta(news));
			const failures = (result?.error?.issues ?? []).map((issue) => ({
				property: issue.path.join("."),
				reason: issue.message,
			}));
			return { inputs: news, failures };
		},

		async diff(id, olds, news) {
			const compared = inputKeys.filter((key) => !definition.ignore?.some((ignored) => ignored === key));
			const changed = changedKeys(compared, olds, news);
			const replaces = changed.filter((key) => definition.replaceOn?.some((known) => known === key));
			const stale = !(await isCurrent(definition, id, olds));
			if (stale && definition.replaceStale !== undefined) {
				replaces.push(definition.replaceStale);
			}
			const isDue = definition.isDue?.(news) ?? true;
			return {
				changes: isDue && (changed.length > 0 || stale),
				replaces,
				stables: [...(definition.stables ?? [])],
				deleteBeforeReplace: false,
			};
		},

		async create(inputs) {
			const { id, outputs } = await definition.create(parseInputs(inputs));
			return { id, outs: withoutUndefined(outputs) };
		},

		async read(id, properties) {
			if (definition.read === undefined || properties === undefined) {
				// Without inputs those of the state stay. Outputs among them would lose what makes them secret.
				return { id, props: properties };
			}
			const found = await readOutputs(definition.read, id, properties, parseOutputs(properties));
			// A resource that is gone is told by an empty id.
			return found === undefined
				? { id: "", props: {} }
				: { id, props: found, inputs: definition.inputs.parse(found) };
		},

		async update(id, olds, news) {
			return { outs: withoutUndefined(await definition.update(id, parseInputs(news), parseOutputs(olds))) };
		},

		async delete(id, properties) {
			await definition.delete(id, parseOutputs(properties));
		},
	};
}

async function readOutputs<Outputs extends object>(
	read: (id: string, outputs: Outputs) => Promise<Outputs | undefined>,
	id: string,
	properties: object,
	outputs: Outputs,
): Promise<Outputs | undefined> {
	try {
		return await read(id, outputs);
	} catch (error) {
		throw error instanceof UnhealthyResource
			? unhealthyOnRead(error, id, { ...properties, ...error.outputs })
			: error;
	}
}

async function isCurrent<Inputs extends object, Outputs extends Inputs>(
	{ isCurrent: ask, outputs }: Definition<Inputs, Outputs>,
	id: string,
	olds: object,
): Promise<boolean> {
	if (ask === undefined) {
		return true;
	}
	const parsed = outputs.safeParse(withoutMeta(olds));
	return parsed.success && (await ask(id, parsed.data));
}

/** Pulumi keeps the serialized provider among the properties; it is none of the resource's own. */
function withoutMeta(values: object): Record<string, unknown> {
	return Object.fromEntries(Object.entries(values).filter(([key]) => !key.startsWith("__")));
}

/** The protocol knows no undefined. */
function withoutUndefined<T extends object>(values: T): T {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

function changedKeys(keys: string[], olds: Record<string, unknown>, news: Record<string, unknown>): string[] {
	return keys.filter((key) => canonical(olds[key]) !== canonical(news[key]));
}

/** A text that is equal for equal values, whatever the order of their keys. */
function canonical(value: unknown): string {
	return JSON.stringify(value, (_key, part: unknown) =>
		typeof part === "object" && part !== null && !Array.isArray(part)
			? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
			: part,
	);
}

function hasUnknown(value: unknown): boolean {
	if (typeof value === "object" && value !== null) {
		return Object.values(value).some(hasUnknown);
	}
	return value === UNKNOWN;
}
