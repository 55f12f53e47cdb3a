import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A command as the documentation gives it. */
export interface Documented {
	/** Without comments and optional parts, and with one name for every stack. */
	command: string;
	/** File and line. */
	where: string;
	/** Whether it is there to be run, and not only named in the text. */
	isWhole: boolean;
}

/** What is a command where the text has it; a block for a shell has nothing else. */
const PROGRAMS = /^(npm|npx|node|pulumi|docker|curl|ssh) /;

/** The files that tell people what to run. Reports of measurements name only what they were made with. */
export function documentation(): string[] {
	return [
		"README.md",
		"CONTRIBUTING.md",
		"engine/README.md",
		"certificates/README.md",
		...readdirSync("docs")
			.filter((name) => name.endsWith(".md"))
			.map((name) => join("docs", name)),
	];
}

/** Every command of the documentation: in blocks for a shell, and in the text. */
export function documentedCommands(): Documented[] {
	return documentation().flatMap((file) => commandsIn(readFileSync(file, "utf8"), file));
}

/** The commands of one file. */
export function commandsIn(markdown: string, file: string): Documented[] {
	let block: string | undefined;
	return markdown.split("\n").flatMap((line, index) => {
		const fence = /^\s*```(\w*)/.exec(line);
		if (fence !== null) {
			block = block === undefined ? fence[1] : undefined;
			return [];
		}
		const candidates =
			block === undefined
				? [...line.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, code]) => code ?? "")
				: /^(bash|sh|console|)$/.test(block)
					? [line.trim()]
					: [];
		return candidates.flatMap((text) =>
			isCommand(text, block !== undefined)
				? [{ command: normalized(text), where: `${file}:${index + 1}`, isWhole: block !== undefined }]
				: [],
		);
	});
}

function isCommand(text: string, isInBlock: boolean): boolean {
	return isInBlock ? text !== "" && !text.startsWith("#") : PROGRAMS.test(`${text} `);
}

/** Commands that differ in the stack, in a comment or in what may be left out are one. */
function normalized(text: string): string {
	return text
		.replace(/\s+#.*$/, "")
		.replaceAll(/\s*\[[^\]]*\]/g, "")
		.replaceAll(/(^|\s)(?:-s|--stack) \S+/g, "$1-s S")
		.replaceAll(/\s+/g, " ")
		.trim();
}
