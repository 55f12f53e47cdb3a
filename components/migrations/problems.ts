/** Something wrong with a migration file, in words for whoever wrote it. */
export interface FileProblem {
	path: string;
	/** 1-based. */
	line: number;
	what: string;
	mend: string;
	/** The offending line and a caret below it, where the place in the line is known. */
	excerpt?: string;
}

/** All that is wrong with a set of migration files. Nothing has run. */
export class MigrationFilesError extends Error {
	constructor(readonly problems: FileProblem[]) {
		const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
		super(`${count} in the migration files, nothing was run:\n${problems.map(describeProblem).join("\n")}`);
		this.name = "MigrationFilesError";
	}
}

function describeProblem({ path, line, what, mend, excerpt }: FileProblem): string {
	return `${path}:${line}: ${what}; ${mend}${excerpt === undefined ? "" : `\n${excerpt}`}`;
}

/**
 * The line of `text` that holds the character at `index`, with a caret under that character.
 * Tabs stay tabs in both lines, so that the caret stands right at any tab width.
 */
export function excerptAt(text: string, index: number): string {
	const start = text.lastIndexOf("\n", index - 1) + 1;
	const end = text.indexOf("\n", index);
	const line = text.slice(start, end === -1 ? undefined : end);
	const indent = [...line.slice(0, index - start)]
		.map((character) => (character === "\t" ? "\t" : " "))
		.join("");
	return `  ${line}\n  ${indent}^`;
}

/** How many line ends stand before `index`. */
export function linesBefore(text: string, index: number): number {
	let lines = 0;
	for (let at = text.indexOf("\n"); at !== -1 && at < index; at = text.indexOf("\n", at + 1)) lines++;
	return lines;
}
