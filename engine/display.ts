/** Tells what an update does: each step as it happens, then diagnostics, outputs and a summary. */
import type { DeploymentEvents } from "./deployment";
import type { ResourceChanges } from "./history";
import type { Severity } from "./server";
import type { Op, Step } from "./steps";
import { describeStep } from "./stepText";
import { isDefaultProvider, makeUrn, nameOf, ROOT_STACK_TYPE, typeOf } from "./urn";
import { equal, type PropertyMap } from "./values";
import { describeChanges, HIDDEN } from "./valueText";

/** How an operation is marked, and called before, while and after it is done. */
export const WORDS: { [op in Op]: { mark: string; plan: string; doing: string; done: string } } = {
	same: { mark: "  ", plan: "", doing: "", done: "" },
	create: { mark: "+ ", plan: "create", doing: "creating", done: "created" },
	update: { mark: "~ ", plan: "update", doing: "updating", done: "updated" },
	delete: { mark: "- ", plan: "delete", doing: "deleting", done: "deleted" },
	replace: { mark: "+-", plan: "replace", doing: "replacing", done: "replaced" },
	"create-replacement": {
		mark: "++",
		plan: "create replacement",
		doing: "creating replacement",
		done: "created replacement",
	},
	"delete-replaced": {
		mark: "--",
		plan: "delete original",
		doing: "deleting original",
		done: "deleted original",
	},
	read: { mark: "> ", plan: "read", doing: "reading", done: "read" },
	"read-replacement": {
		mark: ">>",
		plan: "read replacement",
		doing: "reading replacement",
		done: "read replacement",
	},
	discard: { mark: "< ", plan: "discard", doing: "discarding", done: "discarded" },
	"discard-replaced": {
		mark: "<<",
		plan: "discard original",
		doing: "discarding original",
		done: "discarded original",
	},
	"remove-pending-replace": {
		mark: "~ ",
		plan: "completing replacement",
		doing: "completing",
		done: "completed",
	},
	refresh: { mark: "~ ", plan: "refresh", doing: "refreshing", done: "refreshed" },
};

/** Parts of a replacement, which counts as one, and reads, which change nothing. */
const NOT_COUNTED = new Set([
	"create-replacement",
	"delete-replaced",
	"read",
	"read-replacement",
	"discard-replaced",
]);

export interface DisplayOptions {
	stack: string;
	project: string;
	preview: boolean;
	/** Show properties, as `--diff` asks for. */
	diff: boolean;
	/** Values never to be shown, wherever they turn up. */
	secrets: string[];
	write(text: string): void;
}

interface Message {
	severity: Severity;
	text: string;
}

export class Display implements DeploymentEvents {
	/** Logical operations done, by name; what the history keeps. */
	readonly changes: ResourceChanges = {};
	private readonly begun = new Map<Step, number>();
	private readonly diagnostics = new Map<string, Message[]>();
	private readonly rootUrn: string;
	private readonly startTime = Date.now();
	private readonly secrets: string[];
	private outputLines: string[] = [];
	private errored = 0;
	/** Whether the stack's outputs differ from before. */
	outputsChanged = false;

	constructor(private readonly options: DisplayOptions) {
		this.rootUrn = makeUrn(
			options.stack,
			options.project,
			"",
			ROOT_STACK_TYPE,
			`${options.project}-${options.stack}`,
		);
		this.secrets = options.secrets.filter((secret) => secret.length > 2).sort((a, b) => b.length - a.length);
	}

	private line(text: string): void {
		this.options.write(`${this.filter(text)}\n`);
	}

	private filter(text: string): string {
		return this.secrets.reduce((shown, secret) => shown.replaceAll(secret, HIDDEN), text);
	}

	headline(label: string): void {
		this.line(`${label} (${this.options.stack}):\n`);
	}

	started(step: Step): void {
		this.begun.set(step, Date.now());
		if (this.options.preview || this.options.diff || !isShown(step) || step.op === "replace") return;
		this.status(step, `${WORDS[step.op].doing} (0s)`);
	}

	ended(step: Step, problem: string | undefined): void {
		if (problem !== undefined) {
			this.errored++;
			this.status(step, `**${WORDS[step.op].doing || "processing"} failed**`);
			return;
		}
		this.count(step);
		if (!isShown(step)) return;
		if (this.options.diff) {
			for (const line of describeStep(step, this.options.preview)) this.line(line);
			return;
		}
		if (step.op === "replace" && !this.options.preview) return;
		const words = WORDS[step.op];
		const took = this.options.preview
			? ""
			: ` (${duration(Date.now() - (this.begun.get(step) ?? Date.now()))})`;
		this.status(step, `${this.options.preview ? words.plan : words.done}${took}${changedProperties(step)}`);
	}

	private status(step: Step, text: string): void {
		this.line(` ${WORDS[step.op].mark} ${step.type} ${nameOf(step.urn)} ${text}`);
	}

	private count(step: Step): void {
		if (isDefaultProvider(step.urn)) return;
		let op: string = step.op;
		if (op === "refresh")
			op = step.gone === true ? "delete" : step.drift?.changed === true ? "update" : "same";
		if (NOT_COUNTED.has(op)) return;
		this.changes[op] = (this.changes[op] ?? 0) + 1;
	}

	error(urn: string, message: string): void {
		this.diagnostic("error", urn, message, false);
	}

	diagnostic(severity: Severity, urn: string, message: string, ephemeral: boolean): void {
		if (severity === "debug") return;
		const subject = urn === "" ? this.rootUrn : urn;
		const text = `${severity === "info" ? "" : `${severity}: `}${message.trimEnd()}`;
		if (text === "") return;
		if (this.options.diff) this.line(text);
		else this.line(`    ${typeOf(subject)} ${nameOf(subject)} ${text.split("\n")[0]}`);
		if (ephemeral) return;
		const messages = this.diagnostics.get(subject) ?? [];
		messages.push({ severity, text });
		this.diagnostics.set(subject, messages);
	}

	outputs(before: PropertyMap, now: PropertyMap): void {
		const options = { showSecrets: false, unknown: "[unknown]", context: true };
		this.outputsChanged = !equal(before, now);
		const created = Object.keys(before).length === 0 && this.changes.create !== undefined;
		this.outputLines = describeChanges(created ? now : before, now, 2, options);
	}

	/** Everything that comes after the last step. */
	summary(): void {
		if (!this.options.diff) this.showDiagnostics();
		if (this.outputLines.length > 0 && (this.outputsChanged || !this.options.preview)) {
			this.line(this.options.diff ? "    --outputs:--" : "Outputs:");
			for (const line of this.outputLines) this.line(line);
			this.line("");
		}
		this.line("Resources:");
		for (const line of this.summaryLines()) this.line(`    ${line}`);
		if (!this.options.preview)
			this.line(`\nDuration: ${duration(Math.max(1000, Date.now() - this.startTime))}`);
		this.line("");
	}

	private showDiagnostics(): void {
		if (this.diagnostics.size === 0) return;
		this.line("Diagnostics:");
		for (const [urn, messages] of this.diagnostics) {
			this.line(`  ${typeOf(urn)} (${nameOf(urn)}):`);
			for (const { text } of messages)
				for (const line of text.split("\n")) this.line(line === "" ? "" : `    ${line}`);
			this.line("");
		}
	}

	private summaryLines(): string[] {
		const lines: string[] = [];
		let total = 0;
		for (const op of Object.keys(WORDS) as Op[]) {
			const count = this.changes[op] ?? 0;
			if (op === "same" || count === 0) continue;
			total += count;
			const words = WORDS[op];
			lines.push(`${words.mark}${count} ${this.options.preview ? `to ${words.plan}` : words.done}`);
		}
		const tail: string[] = [];
		if (lines.length > 1) tail.push(`${total} changes`);
		if ((this.changes.same ?? 0) > 0) tail.push(`${this.changes.same} unchanged`);
		if (tail.length > 0) lines.push(tail.join(". "));
		if (this.errored > 0) lines.push(`${this.errored} errored`);
		return lines;
	}
}

/** Sames and the engine's own providers are not worth a line. */
function isShown(step: Step): boolean {
	if (isDefaultProvider(step.urn) || step.op === "same") return false;
	return step.op !== "refresh" || step.gone === true || step.drift?.changed === true;
}

/** `[diff: ~a,b]`: what changes, by property. */
function changedProperties(step: Step): string {
	const { old, new: state } = step;
	if (
		old === undefined ||
		state === undefined ||
		!["update", "replace", "refresh", "create-replacement"].includes(step.op)
	) {
		return "";
	}
	const [before, now] = step.op === "refresh" ? [old.outputs, state.outputs] : [old.inputs, state.inputs];
	const marks: { [mark: string]: string[] } = { "+": [], "-": [], "~": [] };
	for (const key of [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()) {
		if (equal(before[key], now[key])) continue;
		marks[before[key] === undefined ? "+" : now[key] === undefined ? "-" : "~"]!.push(key);
	}
	if (step.diff !== undefined && marks["~"]!.length + marks["+"]!.length + marks["-"]!.length === 0) {
		marks["~"] = step.diff.replaceKeys;
	}
	const shown = Object.entries(marks).filter(([, keys]) => keys.length > 0);
	return shown.length === 0 ? "" : ` [diff: ${shown.map(([mark, keys]) => mark + keys.join(",")).join("")}]`;
}

function duration(milliseconds: number): string {
	if (milliseconds < 1000) return `${(milliseconds / 1000).toFixed(2)}s`;
	const total = Math.round(milliseconds / 1000);
	const minutes = Math.floor(total / 60);
	return minutes > 0 ? `${minutes}m${total % 60}s` : `${total}s`;
}
