import { byId, write } from "./elements.js";
import { plain } from "./words.js";

/** @typedef {import("../state").Pipeline} Pipeline */

/** Tells those who hear the page what a deployment has come to, and nothing of what was so when the page was opened. */
export class Newsreader {
	/** @type {string | undefined} */
	last;

	/** @param {Pipeline | null} pipeline */
	tell(pipeline) {
		const news = pipeline === null ? "" : newsOf(pipeline);
		if (this.last !== undefined && news !== this.last) {
			write(byId("news"), news);
		}
		this.last = news;
	}
}

/** @param {Pipeline} pipeline */
function newsOf({ release, status, stages }) {
	const present = stages.find((stage) => stage.status === "running" || stage.status === "failed");
	const stage = present === undefined ? "" : `, stage ${present.name} ${present.status}`;
	return `Release ${release} ${plain(status)}${stage}`;
}
