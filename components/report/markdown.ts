/** A table's cell: one line, without what would end it. */
export function cell(text: string): string {
	return text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|").trim();
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
	return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function list(items: readonly string[]): string {
	return items.map((item) => `- ${item.replaceAll("\n", "\n  ")}`).join("\n");
}

/** Text as it stands, whatever backticks are in it. */
export function fenced(text: string, language = ""): string {
	const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
	const fence = "`".repeat(longest + 1);
	return `${fence}${language}\n${text.trim()}\n${fence}`;
}

/** A short text as code, whatever backticks are in it. */
export function code(text: string): string {
	return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

export function folded(summary: string, content: string): string {
	return `<details><summary>${summary}</summary>\n\n${content}\n\n</details>`;
}
