/** The command line of the embedded engine: the verbs of the Pulumi CLI that it has. */
import { userInfo } from "node:os";
import { type FlagKinds, parseArguments } from "./arguments";
import { ENGINE_VERSION } from "./checkpoint";
import { configGet, configList, configRemove, configSet } from "./configCommands";
import { Bail, EngineError, EXIT, messageOf } from "./errors";
import { embeddedProviders, type ProviderFactories } from "./providers";
import { type EngineIo, Session } from "./session";
import {
	cancel,
	removeStack,
	stackExport,
	stackHistory,
	stackImport,
	stackInit,
	stackList,
	stackOutput,
	stackOverview,
	stackRemove,
	stackSelect,
	stackUnselect,
} from "./stackCommands";
import { operate, PREVIEW_FLAGS, UPDATE_FLAGS } from "./updateCommands";

export type { EngineIo } from "./session";

interface Verb {
	flags: FlagKinds;
	help: string;
	run(session: Session): Promise<number>;
}

const SHOW: FlagKinds = { json: "switch", "show-secrets": "switch" };

const VERBS: { [name: string]: Verb } = {
	preview: {
		flags: PREVIEW_FLAGS,
		help: "Show what an update would do",
		run: (session) => operate(session, "update", true),
	},
	up: {
		flags: UPDATE_FLAGS,
		help: "Create or update the resources of a stack",
		run: (session) => operate(session, "update", false),
	},
	refresh: {
		flags: UPDATE_FLAGS,
		help: "Read the real resources into the state",
		run: (session) => operate(session, "refresh", false),
	},
	destroy: { flags: UPDATE_FLAGS, help: "Delete the resources of a stack", run: destroy },
	cancel: { flags: { yes: "switch" }, help: "Remove the locks of a stack", run: cancel },
	stack: {
		flags: { "show-secrets": "switch", "show-urns": "switch", "show-ids": "switch" },
		help: "Show a stack",
		run: stackOverview,
	},
	"stack init": {
		flags: { "secrets-provider": "text", "no-select": "switch" },
		help: "Make an empty stack",
		run: stackInit,
	},
	"stack ls": { flags: { json: "switch", all: "switch" }, help: "List stacks", run: stackList },
	"stack rm": { flags: { yes: "switch", force: "switch" }, help: "Remove a stack", run: stackRemove },
	"stack select": { flags: { create: "switch" }, help: "Select a stack", run: stackSelect },
	"stack unselect": { flags: {}, help: "Select no stack", run: stackUnselect },
	"stack output": { flags: SHOW, help: "Show the outputs of a stack", run: stackOutput },
	"stack history": { flags: SHOW, help: "Show the updates of a stack", run: stackHistory },
	"stack export": {
		flags: { file: "text", "show-secrets": "switch" },
		help: "Write the state as JSON",
		run: stackExport,
	},
	"stack import": { flags: { file: "text", force: "switch" }, help: "Replace the state", run: stackImport },
	config: { flags: SHOW, help: "List the configuration", run: configList },
	"config get": { flags: { json: "switch" }, help: "Show one value", run: configGet },
	"config set": {
		flags: { secret: "switch", plaintext: "switch", path: "switch" },
		help: "Set one value",
		run: configSet,
	},
	"config rm": { flags: {}, help: "Remove one value", run: configRemove },
	whoami: {
		flags: {},
		help: "Show who you are",
		run: async (session) => {
			session.print(userInfo().username);
			return EXIT.success;
		},
	},
	version: {
		flags: {},
		help: "Show the version of the protocol that the engine speaks",
		run: async (session) => {
			session.print(`v${ENGINE_VERSION} (embedded engine)`);
			return EXIT.success;
		},
	},
};

const SHORT_FORMS: { [verb: string]: string } = {
	update: "up",
	pre: "preview",
	down: "destroy",
	dn: "destroy",
	history: "stack history",
};

async function destroy(session: Session): Promise<number> {
	const code = await operate(session, "destroy", false);
	if (session.args.switches.has("remove") && !session.args.switches.has("preview-only")) {
		await removeStack(session, session.stackName(), false);
	}
	return code;
}

/**
 * Runs a command line and answers with the exit code of the Pulumi CLI.
 * @param providers what serves packages besides dynamic resources
 */
export async function main(
	argv: string[],
	io: EngineIo,
	providers: ProviderFactories = embeddedProviders,
): Promise<number> {
	try {
		const { verb, rest } = verbOf(argv);
		const args = parseArguments(rest, verb.flags);
		if (args.switches.has("help")) {
			io.stdout.write(`${helpText()}\n`);
			return EXIT.success;
		}
		return await verb.run(new Session(io, args, providers));
	} catch (error) {
		if (error instanceof Bail) return error.exitCode;
		const text = error instanceof EngineError ? error.message : describeBug(error);
		io.stderr.write(`error: ${text}\n`);
		return error instanceof EngineError ? error.exitCode : EXIT.error;
	}
}

function describeBug(error: unknown): string {
	return error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
}

/** The longest run of leading words that is a verb; flags may come before it. */
function verbOf(argv: string[]): { verb: Verb; rest: string[] } {
	const leading: string[] = [];
	const words = [...argv];
	while (words[0]?.startsWith("-") === true) {
		const flag = words.shift()!;
		if (flag === "--version") return { verb: VERBS.version!, rest: [] };
		if (flag === "--help" || flag === "-h") return { verb: VERBS.version!, rest: ["--help"] };
		leading.push(flag);
		if (["-C", "--cwd", "-s", "--stack", "--config-file"].includes(flag) && words.length > 0)
			leading.push(words.shift()!);
	}
	const first = words[0];
	if (first === undefined) return { verb: VERBS.version!, rest: ["--help"] };
	const full = SHORT_FORMS[first] ?? first;
	const pair = `${full} ${words[1] ?? ""}`;
	if (Object.hasOwn(VERBS, pair)) return { verb: VERBS[pair]!, rest: [...leading, ...words.slice(2)] };
	if (!Object.hasOwn(VERBS, full)) {
		throw new EngineError(
			`unknown command "${first}" for "pulumi"\nThe embedded engine has these:\n${helpText()}`,
		);
	}
	const next = words[1];
	const isGroup = Object.keys(VERBS).some((name) => name.startsWith(`${full} `));
	if (isGroup && next !== undefined && !next.startsWith("-")) {
		throw new EngineError(`unknown command "${next}" for "pulumi ${full}"`);
	}
	return { verb: VERBS[full]!, rest: [...leading, ...words.slice(1)] };
}

function helpText(): string {
	const width = Math.max(...Object.keys(VERBS).map((name) => name.length));
	return Object.entries(VERBS)
		.map(([name, { help }]) => `  ${name.padEnd(width)}  ${help}`)
		.join("\n");
}
