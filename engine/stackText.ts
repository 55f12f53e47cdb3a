/** The overview of a stack. */
import { userInfo } from "node:os";
import type { Snapshot } from "./checkpoint";
import { type OpenStack, type Session, stackOutputs } from "./session";
import type { ResourceState } from "./state";
import { table } from "./table";
import { nameOf } from "./urn";
import { plainText } from "./valueText";

export function showStack(session: Session, { name, checkpoint }: OpenStack, snapshot: Snapshot): void {
	session.print(`Current stack is ${name.stack}:`);
	session.print(`    Managed by ${userInfo().username}`);
	if (checkpoint.time !== undefined && snapshot.resources.length > 0) {
		session.print(`    Last updated: ${checkpoint.time}`);
	}
	session.print(`    Pulumi version used: ${checkpoint.version ?? "unknown"}`);
	session.print(`Current stack resources (${snapshot.resources.length}):`);
	if (snapshot.resources.length === 0) session.print("    No resources currently in this stack");
	else for (const line of table(["TYPE", "NAME"], rowsOf(snapshot.resources))) session.print(`    ${line}`);
	const outputs = stackOutputs(snapshot);
	session.print(`\nCurrent stack outputs (${Object.keys(outputs).length}):`);
	if (Object.keys(outputs).length === 0) {
		session.print("    No output values currently in this stack");
	} else {
		const showSecrets = session.args.switches.has("show-secrets");
		const rows = Object.keys(outputs)
			.sort()
			.map((key) => [key, plainText(outputs[key]!, showSecrets)]);
		for (const line of table(["OUTPUT", "VALUE"], rows)) session.print(`    ${line}`);
	}
}

/** Children stand below their parents, behind lines that show the tree. */
function rowsOf(resources: ResourceState[]): string[][] {
	const urns = new Set(resources.map(({ urn }) => urn));
	const [root] = resources.filter(({ parent }) => parent === "");
	const children = new Map<string, ResourceState[]>();
	const top: ResourceState[] = [];
	for (const state of resources) {
		const parent = urns.has(state.parent) ? state.parent : state === root ? "" : (root?.urn ?? "");
		if (parent === "" || parent === state.urn) top.push(state);
		else children.set(parent, [...(children.get(parent) ?? []), state]);
	}
	const rows: string[][] = [];
	const visit = (state: ResourceState, prefix: string, line: string): void => {
		rows.push([`${line}${state.type}`, nameOf(state.urn) + (state.delete ? " (pending delete)" : "")]);
		const below = state.delete ? [] : (children.get(state.urn) ?? []);
		below.forEach((child, index) => {
			const last = index === below.length - 1;
			visit(child, prefix + (last ? "   " : "│  "), prefix + (last ? "└─ " : "├─ "));
		});
	};
	for (const state of top) visit(state, "", "");
	return rows;
}
