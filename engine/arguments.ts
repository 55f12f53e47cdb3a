/** Reads a command line in the CLI's manner: verbs, then flags and operands in any order. */
import { EngineError, EXIT } from "./errors";

/** `switch` flags stand alone; `text` flags take the next word, or what follows `=`. */
export type FlagKind = "switch" | "text";
export type FlagKinds = { [name: string]: FlagKind };

export interface ParsedArguments {
	operands: string[];
	switches: Set<string>;
	texts: Map<string, string>;
}

const SHORT: { [letter: string]: string } = {
	s: "stack",
	C: "cwd",
	y: "yes",
	f: "force",
	j: "json",
	m: "message",
	p: "parallel",
	r: "refresh",
	a: "all",
	h: "help",
};

/** Flags that every verb takes. */
export const COMMON: FlagKinds = {
	stack: "text",
	cwd: "text",
	"config-file": "text",
	"non-interactive": "switch",
	color: "text",
	emoji: "switch",
	logflow: "switch",
	logtostderr: "switch",
	verbose: "text",
	help: "switch",
};

/** @throws EngineError for flags that the verb does not have. */
export function parseArguments(argv: string[], kinds: FlagKinds): ParsedArguments {
	const result: ParsedArguments = { operands: [], switches: new Set(), texts: new Map() };
	const all: FlagKinds = { ...COMMON, ...kinds };
	const words = [...argv];
	for (let word = words.shift(); word !== undefined; word = words.shift()) {
		if (word === "--") {
			result.operands.push(...words);
			break;
		}
		if (!word.startsWith("-") || word === "-") {
			result.operands.push(word);
			continue;
		}
		const [flag = "", ...value] = word.split("=");
		const name = flag.startsWith("--") ? flag.slice(2) : (SHORT[flag.slice(1)] ?? "");
		const kind = Object.hasOwn(all, name) ? all[name] : undefined;
		if (kind === undefined) {
			const what = flag.startsWith("--")
				? `unknown flag: ${flag}`
				: `unknown shorthand flag: '${flag.slice(1)}' in ${flag}`;
			throw new EngineError(what);
		}
		if (kind === "switch") {
			if (value.length === 0 || value.join("=") === "true") result.switches.add(name);
			continue;
		}
		const text = value.length > 0 ? value.join("=") : words.shift();
		if (text === undefined) throw new EngineError(`flag needs an argument: ${flag}`);
		result.texts.set(name, text);
	}
	return result;
}

/** @throws EngineError when a verb is given more or fewer operands than it takes. */
export function requireOperands(operands: string[], least: number, most: number): void {
	if (operands.length >= least && operands.length <= most) return;
	const expected = least === most ? `${least}` : `between ${least} and ${most}`;
	throw new EngineError(`accepts ${expected} arg(s), received ${operands.length}`, EXIT.configuration);
}
