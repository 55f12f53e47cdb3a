/** A step with its properties, for `--diff`. */
import { WORDS } from "./display";
import type { Step } from "./steps";
import { equal, type PropertyMap } from "./values";
import { describeChanges, describeMap } from "./valueText";

/** The serialized code of a dynamic provider is no news to anyone. */
const CODE = "__provider";

export function describeStep(step: Step, preview: boolean): string[] {
	const words = WORDS[step.op];
	const lines = [`    ${words.mark}${step.type}: (${words.plan})`];
	const id = step.old?.id || (preview ? "" : step.new?.id);
	if (id !== undefined && id !== "") lines.push(`        [id=${id}]`);
	lines.push(`        [urn=${step.urn}]`);
	return [...lines, ...propertyLines(step)];
}

function propertyLines(step: Step): string[] {
	const options = { showSecrets: false, unknown: "[unknown]", context: false };
	const { old, new: state } = step;
	switch (step.op) {
		case "create":
		case "create-replacement":
		case "read":
		case "read-replacement":
			return describeMap(withoutCode(state!.inputs), 6, options);
		case "update":
		case "replace":
			return [
				...describeChanges(withoutCode(old!.inputs), withoutCode(state!.inputs), 6, options),
				...(equal(old!.inputs[CODE], state!.inputs[CODE])
					? []
					: ["      ~ __provider: (the provider's code)"]),
			];
		case "refresh":
			return state === undefined
				? []
				: describeChanges(withoutCode(old!.outputs), withoutCode(state.outputs), 6, options);
		default:
			return describeMap(withoutCode(old?.inputs ?? {}), 6, options);
	}
}

function withoutCode(map: PropertyMap): PropertyMap {
	return Object.fromEntries(Object.entries(map).filter(([key]) => key !== CODE));
}
