import assert from "node:assert/strict";
import { code, list, plain, table } from "../../components/report/markdown";

describe("text in the report's Markdown", () => {
	it("stays code whatever backticks are in it", () => {
		assert.equal(code("a"), "`a`");
		assert.equal(code("back`tick"), "`` back`tick ``");
		assert.equal(code("back``tick\n</details>"), "``` back``tick </details> ```");
	});

	it("is neither HTML nor a link, and mentions nobody", () => {
		assert.equal(
			plain("cannot be <b>undone</b> & [x](y) *z* _w_ by @octocat, see #1; tell &lt;"),
			"cannot be &lt;b>undone&lt;/b> & \\[x\\](y) \\*z\\* \\_w\\_ by @&#8203;octocat, see #&#8203;1; tell &amp;lt;",
		);
	});

	it("keeps names, and code between backticks", () => {
		assert.equal(
			plain("column a_b needs `NOT <NULL>` or ``x`@y``, \\`z` and `w"),
			"column a_b needs `NOT <NULL>` or ``x`@y``, \\\\`z` and \\`w",
		);
	});

	it("is a list of no more than somebody reads", () => {
		assert.equal(list(["a", "b"]), "- a\n- b");
		const many = list(Array.from({ length: 1000 }, (_, n) => `item ${n}`)).split("\n");
		assert.deepEqual([many.length, many[24], many[25]], [26, "- item 24", "- and 975 more"]);
	});

	it("stays in its cell", () => {
		assert.equal(table(["x"], [["a|b\nc"]]), "| x |\n| --- |\n| a\\|b c |");
	});
});
