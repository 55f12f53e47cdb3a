import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import {
	type CheckFailure,
	type CheckRequest,
	type CheckResult,
	type Properties,
	UNKNOWN,
	type Value,
} from "../provider";
import { type Kind, type Property, type ResourceType, resourceType } from "./properties";

const LONGEST_NAME = 255;

const later = z.custom<typeof UNKNOWN>((value) => value === UNKNOWN);
const text = z.union([later, z.string(), z.number().transform(String), z.boolean().transform(String)]);
const flag = z.union([later, z.boolean(), z.enum(["true", "false"]).transform((value) => value === "true")]);
const whole = z.union([
	later,
	z.int(),
	z
		.string()
		.regex(/^-?\d+$/)
		.transform(Number),
]);
const texts = z.union([later, z.array(text)]);

const PARSERS: { [kind in Kind]: z.ZodType<Value> } = {
	string: text,
	bool: flag,
	int: whole,
	list: texts,
	set: texts,
	policies: z.never(),
};

const EXPECTED: { [kind in Kind]: string } = {
	string: "a text",
	bool: "true or false",
	int: "a whole number",
	list: "a list of texts",
	set: "a list of texts",
	policies: "nothing",
};

/**
 * Brings a resource's inputs into the form that the state keeps: texts turned into numbers where the property is one,
 * defaults filled in and named in `__defaults`, a name made up where none is given. Reports everything that is wrong.
 *
 * @throws Error when the resource's type is not known.
 */
export function check(request: CheckRequest): CheckResult {
	const type = resourceType(request.type);
	const failures: CheckFailure[] = [];
	const inputs: Properties = {};
	for (const [name, value] of Object.entries(request.news)) {
		if (value !== null && !name.startsWith("__")) {
			inputs[name] = parseInput(type, name, value, failures);
		}
	}
	inputs.__defaults = fillDefaults(type, inputs, request);
	for (const [name, property] of Object.entries(type.properties)) {
		if (property.required && inputs[name] === undefined) {
			failures.push({ property: name, reason: `\`${name}\` is missing: ${describe(property)} is required` });
		}
	}
	failures.push(...conflicts(inputs));
	return { inputs, failures };
}

function parseInput(type: ResourceType, name: string, value: Value, failures: CheckFailure[]): Value {
	const fail = (reason: string): Value => {
		failures.push({ property: name, reason: `\`${name}\` ${reason}` });
		return value;
	};
	const property = type.properties[name];
	if (property === undefined) {
		return fail(`is not a property of this type; it has ${Object.keys(type.properties).join(", ")}`);
	}
	if (property.refused !== undefined) {
		return fail(property.refused);
	}
	const parsed = PARSERS[property.kind].safeParse(value);
	if (!parsed.success) {
		return fail(`must be ${describe(property)}${property.secret ? "" : `, found ${JSON.stringify(value)}`}`);
	}
	const { min, oneOf } = property;
	if (min !== undefined && typeof parsed.data === "number" && parsed.data < min) {
		return fail(`must be at least ${min}, found ${parsed.data}`);
	}
	if (oneOf !== undefined && typeof parsed.data === "string" && !oneOf.includes(parsed.data)) {
		return fail(`must be one of ${oneOf.join(", ")}, found ${JSON.stringify(parsed.data)}`);
	}
	return parsed.data;
}

function describe(property: Property): string {
	return property.oneOf === undefined ? EXPECTED[property.kind] : `one of ${property.oneOf.join(", ")}`;
}

/** Adds what the program left out; a value once chosen stays. Returns the names of what was added. */
function fillDefaults(type: ResourceType, inputs: Properties, request: CheckRequest): string[] {
	const olds = request.olds ?? {};
	const oldDefaults = Array.isArray(olds.__defaults) ? olds.__defaults : undefined;
	const added: string[] = [];
	for (const [name, property] of Object.entries(type.properties)) {
		if (inputs[name] !== undefined) {
			continue;
		}
		const old = olds[name];
		if (property.autonamed) {
			inputs[name] = old ?? generateName(request);
			added.push(name);
		} else if (property.default !== undefined) {
			const kept = oldDefaults === undefined || oldDefaults.includes(name) ? old : undefined;
			// Defaults that say "no" stay unsaid, as in the plugin's state.
			const value = kept ?? (property.default || undefined);
			if (value !== undefined) {
				inputs[name] = value;
				added.push(name);
			}
		}
	}
	return added.sort();
}

/** The logical name and seven hexadecimal digits, the same for the same seed. */
function generateName({ urn, name, randomSeed }: CheckRequest): string {
	const seed = randomSeed.length > 0 ? randomSeed : randomBytes(32);
	const suffix = createHash("sha256").update(seed).update(urn).digest("hex").slice(0, 7);
	return `${name.slice(0, LONGEST_NAME - suffix.length - 1)}-${suffix}`;
}

function conflicts(inputs: Properties): CheckFailure[] {
	const given = (name: string) => inputs[name] !== undefined;
	const failures: CheckFailure[] = [];
	if (given("password") && (given("passwordWo") || given("passwordWoVersion"))) {
		failures.push({ property: "password", reason: "give either `password` or `passwordWo`, not both" });
	}
	if (given("passwordWo") !== given("passwordWoVersion")) {
		const reason = "`passwordWo` and `passwordWoVersion` go together: give both or neither";
		failures.push({ property: "passwordWo", reason });
	}
	return failures;
}
