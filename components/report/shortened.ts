/**
 * Markdown that fits: cut at a line's end, with what is open there closed, so that the note behind it is read as one.
 *
 * @param longest characters, the note included
 */
export function shortenedMarkdown(text: string, longest: number, note: string): string {
	if (text.length <= longest) {
		return text;
	}
	// Room for a fence's end and for folded parts'.
	const room = longest - note.length - 200;
	const lines = text.slice(0, text.lastIndexOf("\n", room)).split("\n");
	return [...lines, ...closing(lines), "", note].join("\n");
}

function closing(lines: readonly string[]): string[] {
	let fence: string | undefined;
	let folded = 0;
	for (const line of lines) {
		const ticks = /^`{3,}/.exec(line)?.[0];
		if (fence !== undefined) {
			if (ticks !== undefined && ticks === line && ticks.length >= fence.length) fence = undefined;
		} else if (ticks !== undefined) {
			fence = ticks;
		} else {
			folded += Number(line.startsWith("<details>")) - Number(line.startsWith("</details>"));
		}
	}
	return [...(fence === undefined ? [] : [fence]), ...Array.from({ length: folded }, () => "\n</details>")];
}
