import { readFileSync } from "node:fs";
import { BlockList, isIP } from "node:net";
import { parseArgs } from "node:util";
import { z } from "zod";

export const USAGE =
	"usage: npm run dashboard -- --stack <stack> [--host 127.0.0.1] [--port 7780] [--token-file <file>]";

export interface DashboardOptions {
	stack: string;
	host: string;
	/** 0 lets the system pick one. */
	port: number;
	/** Who has it may look; undefined where everybody on this machine may. */
	token: string | undefined;
}

/** The command line or the environment does not describe a dashboard; the message has a line for each mistake. */
export class OptionsError extends Error {
	override readonly name = "OptionsError";
}

const SHORTEST_TOKEN = 24;
const FEWEST_CHARACTERS = 8;
const MAKE_ONE = "make one with `openssl rand -base64 32`";

const optionsSchema = z.object({
	stack: z.string("--stack is missing: name the stack to look at").min(1, "--stack is empty: name the stack"),
	host: z.string().min(1, "--host is empty: give an address of this machine, or leave it out"),
	port: z
		.string()
		.regex(/^\d{1,5}$/, "--port is no number: allowed is 0 to 65535")
		.transform(Number)
		.refine((port) => port <= 65_535, "--port is too large: allowed is 0 to 65535"),
	token: z
		.string()
		.min(
			SHORTEST_TOKEN,
			`the token is too short: it needs at least ${SHORTEST_TOKEN} characters; ${MAKE_ONE}`,
		)
		.regex(
			/^[\x21-\x7e]*$/,
			`the token has blanks or characters outside ASCII, which no header takes; ${MAKE_ONE}`,
		)
		.refine(
			(token) => new Set(token).size >= FEWEST_CHARACTERS,
			`the token is too easily guessed: it has fewer than ${FEWEST_CHARACTERS} different characters; ${MAKE_ONE}`,
		)
		.optional(),
});

/**
 * Reads the command line, and the token from its file or from DASHBOARD_TOKEN.
 *
 * @throws OptionsError with everything that is wrong; the token itself is never told
 */
export function readOptions(
	args: string[],
	environment: Record<string, string | undefined>,
): DashboardOptions {
	const { values, problems } = readArguments(args);
	const token = readToken(values["token-file"], environment, problems);
	const { stack = environment.PULUMI_STACK, host = "127.0.0.1", port = "7780" } = values;
	const parsed = optionsSchema.safeParse({ stack, host, port, token });
	problems.push(...(parsed.error?.issues ?? []).map(({ message }) => message));
	if (host !== "" && !isLoopback(host) && token === undefined && values["token-file"] === undefined) {
		problems.push(
			`others can reach ${host}, so a token is needed: give --token-file or DASHBOARD_TOKEN (${MAKE_ONE}), ` +
				"or leave --host out",
		);
	}
	if (problems.length > 0 || !parsed.success) {
		throw new OptionsError([...problems, USAGE].join("\n"));
	}
	return { ...parsed.data, token: parsed.data.token };
}

function readArguments(args: string[]) {
	const { tokens } = parseArgs({ args, options: OPTIONS, strict: false, tokens: true });
	const values: Partial<Record<keyof typeof OPTIONS, string>> = {};
	const problems: string[] = [];
	for (const token of tokens) {
		if (token.kind === "positional") {
			problems.push(`${token.value} is not understood`);
		} else if (token.kind === "option" && !(token.name in OPTIONS)) {
			problems.push(`${token.rawName} is not known`);
		} else if (token.kind === "option" && token.value === undefined) {
			problems.push(`${token.rawName} is without a value`);
		} else if (token.kind === "option") {
			values[token.name as keyof typeof OPTIONS] = token.value;
		}
	}
	return { values, problems };
}

const OPTIONS = {
	stack: { type: "string", short: "s" },
	host: { type: "string" },
	port: { type: "string" },
	"token-file": { type: "string" },
} as const;

function readToken(
	file: string | undefined,
	environment: Record<string, string | undefined>,
	problems: string[],
): string | undefined {
	if (file === undefined) {
		return environment.DASHBOARD_TOKEN;
	}
	try {
		return readFileSync(file, "utf8").trim();
	} catch (error) {
		problems.push(`--token-file cannot be read: ${(error as Error).message}`);
		return undefined;
	}
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether only programs on this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
	const family = isIP(host);
	return family === 0 ? host === "localhost" : LOOPBACK.check(host, family === 6 ? "ipv6" : "ipv4");
}
