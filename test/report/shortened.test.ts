import assert from "node:assert/strict";
import { folded } from "../../components/report/markdown";
import { shortenedMarkdown } from "../../components/report/shortened";

const NOTE = "*The rest is in the log.*";

describe("a report that does not fit into a comment", () => {
	it("is left as it is when it fits", () => {
		assert.equal(shortenedMarkdown("abc", 3, NOTE), "abc");
	});

	it("is cut at a line's end, with its fence and its folded part closed before the note", () => {
		const sql = Array.from({ length: 100 }, (_, n) => `INSERT ${n};`).join("\n");
		const text = `# Title\n\n${folded("SQL", `\`\`\`\`sql\n\`\`\`\n${sql}\n\`\`\`\``)}\n`;
		const short = shortenedMarkdown(text, 600, NOTE);
		assert.ok(short.length <= 600);
		assert.match(short, /\nINSERT \d+;\n````\n\n<\/details>\n\n\*The rest is in the log\.\*$/);
	});

	it("has nothing closed that is closed already", () => {
		const text = `${folded("SQL", "```sql\nSELECT 1;\n```")}\n\n${"word\n".repeat(200)}`;
		const short = shortenedMarkdown(text, 600, NOTE);
		assert.match(short, /word\nword\n\n\*The rest is in the log\.\*$/);
	});
});
