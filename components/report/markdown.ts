/** A table's cell: one line, without what would end it. */
export function cell(text: string): string {
	return text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|").trim();
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
	return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Items of one list that a reader is shown; what is told a thousand times hides the rest of a report. */
const LONGEST_LIST = 25;

/** Sentences, each as {@link plain} has it; of very many the first, and how many more there are. */
export function list(items: readonly string[]): string {
	const shown = items.slice(0, LONGEST_LIST).map((item) => `- ${plain(item)}`);
	return [
		...shown,
		...(items.length > LONGEST_LIST ? [`- and ${items.length - LONGEST_LIST} more`] : []),
	].join("\n");
}

/** Text as it stands, whatever backticks are in it. */
export function fenced(text: string, language = ""): string {
	const fence = "`".repeat(Math.max(2, longestRun(text)) + 1);
	return `${fence}${language}\n${text.trim()}\n${fence}`;
}

/** A short text as code on one line, whatever backticks are in it. */
export function code(text: string): string {
	const line = text.replaceAll(/\s+/g, " ");
	const ticks = "`".repeat(longestRun(line) + 1);
	// Markdown takes one blank away on each side.
	return line.includes("`") ? `${ticks} ${line} ${ticks}` : `${ticks}${line}${ticks}`;
}

function longestRun(text: string): number {
	return Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
}

/** A whole code span, as Markdown finds its end. */
const CODE_SPAN = /((?<!`)(`+)(?!`).*?(?<!`)\2(?!`))/;

/**
 * A sentence on one line that is shown as it is written, but for what stands between backticks, which is code: no HTML,
 * no link or emphasis, and nobody and no issue is mentioned.
 */
export function plain(text: string): string {
	// Splitting by an expression with two groups gives: text, span, its backticks, text, …
	const pieces = text.replaceAll(/\s+/g, " ").trim().split(CODE_SPAN);
	return pieces.map((piece, at) => [escaped(piece), piece, ""][at % 3]).join("");
}

function escaped(text: string): string {
	return (
		text
			.replaceAll(/[\\`*[\]~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, "\\$&")
			.replaceAll(/&(?=#?\w+;)/g, "&amp;")
			.replaceAll("<", "&lt;")
			// A blank of no width: GitHub reads a name or a number only right behind the sign.
			.replaceAll(/[@#](?=\w)/g, "$&&#8203;")
	);
}

export function folded(summary: string, content: string): string {
	return `<details><summary>${summary}</summary>\n\n${content}\n\n</details>`;
}

/** A part with its heading. */
export function section(title: string, text: string): string {
	return `## ${title}\n\n${text}`;
}
