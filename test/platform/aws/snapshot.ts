import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Document, isCollection, parse, visit } from "yaml";
import type { Declared } from "../declared";

/** What is kept of a declaration: everything, each thing by what it is called. */
type Shown = Record<string, unknown>;
/** By type and name. */
type Snapshot = Record<string, Shown>;
type Tags = Record<string, string>;

/** Of the rest of a stack, what is told where AWS's resources are. */
const TIED =
	/^(aws:|pulumi:providers:(aws|postgresql)$|postgresql:index\/role:|pulumi-nodejs:dynamic\/(database:ServerAnswers|service:ServiceReady|health:ColorHealth|traffic:TrafficSwitch|guards:DestroyGuard)$)/;
/** Inputs that are the same on each platform, and long: they have tests of their own. */
const LEFT_OUT = ["__provider", "context", "subject"];
/** The key and the value by which Pulumi marks what is secret. */
const MARK = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** A value that has not more characters stands on one line. */
const LINE = 110;

/** All that a program has declared on AWS and what is tied to that, in an order of its own. */
export function snapshotOf(declared: readonly Declared[]): Snapshot {
	const told = declared.filter(({ type }) => TIED.test(type));
	const ofAll = told.map(({ inputs }) => inputs.tags).find((tags) => tags !== undefined) as Tags;
	const { Name: _, ...common } = ofAll;
	const found = told.map((each) => [`${each.type} ${each.name}`, shown(each, common)] as const);
	assert.equal(new Set(found.map(([key]) => key)).size, found.length, "two resources have one type and name");
	return sorted({ ...Object.fromEntries(found), "(tags of all)": common });
}

function shown({ type, inputs, standsOn, ignores, retained, options }: Declared, common: Tags): Shown {
	const { parent, provider } = options;
	const waitsFor = standsOn
		.filter((key) => key.trim() !== "" && key !== parent && key !== provider)
		.map((key) => key.split(":").at(-1));
	const own = Object.entries(inputs).filter(([input]) => !LEFT_OUT.includes(input));
	const told = {
		...Object.fromEntries(own),
		...(inputs.tags !== undefined && { tags: tagsBeside(common, inputs.tags as Tags) }),
		// That one waits for everything, which has a test of its own.
		...(waitsFor.length > 0 &&
			!type.endsWith(":DestroyGuard") && { "(waits for)": [...new Set(waitsFor)].sort() }),
		...(ignores.length > 0 && { "(ignores)": ignores }),
		...(retained && { "(retained)": true }),
		...Object.fromEntries(Object.entries(options).map(([option, value]) => [`(${option})`, value])),
	};
	return readable(told) as Shown;
}

/** All tags of a resource, those that every one has by a word. */
function tagsBeside(common: Tags, tags: Tags): Tags | string {
	if (Object.entries(common).some(([key, value]) => tags[key] !== value)) {
		return tags;
	}
	const own = Object.entries(tags).filter(([key]) => common[key] === undefined);
	return own.length === 0 ? "those of all" : { "(those of all)": "and", ...Object.fromEntries(own) };
}

/** What is other in a snapshot than in one before; what is no longer there is null. */
export function changesOf(before: Snapshot, now: Snapshot): Snapshot {
	return differing(before, now, (was, is) => differing(was, is, (_, value) => value));
}

function differing<T>(before: Record<string, T>, now: Record<string, T>, shown: (was: T, is: T) => T) {
	const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
	const entries = keys
		.map((key) => [key, before[key], now[key]] as const)
		.filter(([, was, is]) => JSON.stringify(was) !== JSON.stringify(is))
		.map(([key, was, is]) => [key, was && is ? shown(was, is) : (is ?? null)]);
	return Object.fromEntries(entries) as Record<string, T>;
}

/** Compares a snapshot with the file of that name; `GOLDEN=write` writes it. */
export function assertSnapshot(name: string, snapshot: Snapshot): void {
	const file = join(__dirname, "declared", `${name}.yaml`);
	if (process.env.GOLDEN === "write") {
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, text(snapshot));
	}
	const kept = parse(readFileSync(file, "utf8")) as Snapshot;
	const others = Object.keys(changesOf(kept, snapshot));
	const of = (all: Snapshot) => text(Object.fromEntries(others.map((key) => [key, all[key] ?? null])));
	// Of those alone that differ: the whole is too long to be shown.
	assert.equal(
		of(snapshot),
		of(kept),
		`not as in ${name}.yaml; if it is meant to be, write it by GOLDEN=write`,
	);
}

/** Secrets are said to be that, and a policy is as readable as everything else. */
function readable(value: unknown): unknown {
	if (typeof value === "string") {
		return /^[[{]/.test(value) ? { json: readable(JSON.parse(value)) } : value;
	}
	if (Array.isArray(value)) {
		return value.map(readable);
	}
	if (typeof value !== "object" || value === null) {
		return value;
	}
	const { [MARK]: mark, value: inside, ...rest } = value as Record<string, unknown>;
	return mark === SECRET
		? { secret: readable(inside) }
		: sorted(mapped({ ...rest, ...(inside !== undefined && { value: inside }) }));
}

function mapped(value: Record<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, readable(each)]));
}

function sorted<T>(value: Record<string, T>): Record<string, T> {
	return Object.fromEntries(
		Object.entries(value)
			.filter(([, each]) => each !== undefined)
			.sort(([left], [right]) => (left < right ? -1 : 1)),
	);
}

function text(snapshot: Snapshot): string {
	const document = new Document(snapshot, { aliasDuplicateObjects: false });
	visit(document, (_key, node, path) => {
		// A resource has a line for each of its inputs.
		if (isCollection(node) && path.length > 3 && JSON.stringify(node).length <= LINE) {
			node.flow = true;
		}
	});
	return document.toString({ lineWidth: 0 });
}
