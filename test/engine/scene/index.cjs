"use strict";
/*
 * A Pulumi program that registers what `scene.json` says, in order:
 *   { component, thing, reference, read, provider: <name>, inputs, options, outputs }
 * In inputs `{ "$of": "name.property" }` is another resource's output and `{ "$secret": value }` a secret.
 * Things are dynamic resources. They write what is done to them into `calls.log`; inputs steer them: `fail` names the
 * operation to fail, `replace*` cannot change in place, `dbr` deletes before replacing, `wait` (ms) takes time,
 * `meet` waits for as many creations at once.
 */
const { readFileSync } = require("node:fs");
const pulumi = require("@pulumi/pulumi");

const things = {
	async check(olds, news) {
		if (news.invalid !== undefined) {
			return { inputs: news, failures: [{ property: "invalid", reason: "it is not valid" }] };
		}
		return { inputs: news.defaulted === true ? { ...news, addition: olds.addition ?? "by default" } : news };
	},
	async diff(_id, olds, news) {
		const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
		const own = keys.filter((key) => !["__provider", "made", "label"].includes(key));
		const changed = own.filter((key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]));
		const replaces = changed.filter((key) => key.startsWith("replace"));
		return { changes: changed.length > 0, replaces, deleteBeforeReplace: news.dbr === true };
	},
	async create(inputs) {
		require("node:fs").appendFileSync("calls.log", `create ${inputs.label}\n`);
		if (inputs.wait !== undefined) await new Promise((done) => setTimeout(done, inputs.wait));
		if (inputs.meet !== undefined) {
			// Waits for as many others: creations that do not run at once never come to an end.
			const { readFileSync: read } = require("node:fs");
			const end = Date.now() + 20_000;
			while (read("calls.log", "utf8").trim().split("\n").length < inputs.meet) {
				if (Date.now() > end) throw new Error("the others did not come");
				await new Promise((done) => setTimeout(done, 20));
			}
		}
		if (inputs.say !== undefined) console.log(inputs.say);
		const outs = { ...inputs, made: `made ${inputs.label}` };
		if (inputs.fail === "create") throw new Error("the create failed as asked");
		if (inputs.fail === "init") {
			throw Object.assign(new Error("it is there but not right"), {
				id: `id-${inputs.label}`,
				properties: outs,
				reasons: ["it did not come up"],
			});
		}
		return { id: `id-${inputs.label}-${inputs.replaceMe ?? ""}`, outs };
	},
	async update(_id, olds, news) {
		require("node:fs").appendFileSync("calls.log", `update ${news.label}\n`);
		if (news.fail === "update") throw new Error("the update failed as asked");
		return { outs: { ...news, made: olds.made } };
	},
	async delete(id, props) {
		require("node:fs").appendFileSync("calls.log", `delete ${props.label} ${id}\n`);
		if (props.wait !== undefined) await new Promise((done) => setTimeout(done, props.wait));
		if (props.failDelete === true) throw new Error("the delete failed as asked");
	},
	async read(id, props) {
		const { existsSync, readFileSync: read } = require("node:fs");
		const world = existsSync("world.json") ? JSON.parse(read("world.json", "utf8")) : {};
		if (world[id] === null) return {};
		const { __provider, made, ...inputs } = { ...props, ...world[id] };
		return { id, props: { ...inputs, made }, inputs };
	},
};

class Thing extends pulumi.dynamic.Resource {
	constructor(name, inputs, options) {
		super(things, name, { made: undefined, ...inputs, label: name }, options, "scene", "Thing");
	}
}

class OtherProvider extends pulumi.ProviderResource {
	constructor(name, inputs, options) {
		super("pulumi-nodejs", name, inputs, options);
	}
}

class External extends pulumi.CustomResource {}

class Group extends pulumi.ComponentResource {
	constructor(name, options) {
		super("scene:index:Group", name, {}, options);
	}
}

const made = new Map();

function value(text) {
	if (Array.isArray(text)) return text.map(value);
	if (typeof text !== "object" || text === null) return text;
	if (text.$secret !== undefined) return pulumi.secret(value(text.$secret));
	if (text.$of !== undefined) {
		const [name, property] = text.$of.split(".");
		const resource = made.get(name);
		if (property === undefined) return resource;
		return resource instanceof pulumi.StackReference ? resource.getOutput(property) : resource[property];
	}
	return Object.fromEntries(Object.entries(text).map(([key, part]) => [key, value(part)]));
}

function options(given = {}) {
	const named = (name) => made.get(name);
	const result = { ...given };
	for (const key of ["parent", "provider", "deletedWith"])
		if (given[key] !== undefined) result[key] = named(given[key]);
	if (given.dependsOn !== undefined) result.dependsOn = given.dependsOn.map(named);
	return result;
}

function make(entry) {
	const { inputs = {}, options: given } = entry;
	if (entry.thing !== undefined) return new Thing(entry.thing, value(inputs), options(given));
	if (entry.component !== undefined) return new Group(entry.component, options(given));
	if (entry.provider !== undefined) return new OtherProvider(entry.provider, value(inputs), options(given));
	if (entry.external !== undefined)
		return new External(entry.type, entry.external, value(inputs), options(given));
	if (entry.reference !== undefined) return new pulumi.StackReference(entry.reference, { name: entry.stack });
	return Thing.get?.(entry.read, entry.id);
}

const { resources, outputs, say = [], exit, reject } = JSON.parse(readFileSync("scene.json", "utf8"));
for (const line of say) console.log(line);
for (const entry of resources) {
	const resource = make(entry);
	made.set(
		entry.thing ?? entry.component ?? entry.provider ?? entry.external ?? entry.reference ?? entry.read,
		resource,
	);
	if (entry.component !== undefined) resource.registerOutputs(value(entry.outputs ?? {}));
}
if (reject !== undefined) Promise.reject(new Error(reject));
if (exit !== undefined) process.exit(exit);
const config = new pulumi.Config();
module.exports = { ...value(outputs ?? {}) };
if (config.get("echo") !== undefined) module.exports.echo = config.get("echo");
if (config.getSecret("password") !== undefined) module.exports.password = config.getSecret("password");
