import { drawing, element } from "./elements.js";
import { plain } from "./words.js";

/** How a state looks: a kind that gives its colour, and a shape that tells it without. */
const LOOKS = {
	completed: ["good", "check"],
	applied: ["good", "check"],
	PASS: ["good", "check"],
	running: ["busy", "dot"],
	started: ["busy", "dot"],
	failed: ["bad", "cross"],
	FAIL: ["bad", "cross"],
	WARNING: ["warn", "triangle"],
	rolled_back: ["warn", "back"],
	pending: ["quiet", "ring"],
	skipped: ["quiet", "dash"],
};

/** On a field of 16 by 16. */
const SHAPES = {
	check: "M2.5 8.5l4 4 7-9",
	cross: "M3.5 3.5l9 9M12.5 3.5l-9 9",
	dot: "M8 3.5a4.5 4.5 0 1 0 .01 0zM8 6.5a1.5 1.5 0 1 0 .01 0z",
	ring: "M8 3a5 5 0 1 0 .01 0z",
	dash: "M3.5 8h9",
	triangle: "M8 2.5l6 11H2zM8 7v2.5",
	back: "M6.5 3L2.5 7l4 4M3 7h6.5a4 4 0 0 1 0 8H8",
};

/**
 * @param {string} state
 * @returns {[kind: string, shape: string]}
 */
function lookOf(state) {
	const look = Object.entries(LOOKS).find(([name]) => name === state)?.[1] ?? ["quiet", "ring"];
	return [String(look[0]), String(look[1])];
}

/** @param {string} state */
export function kindOf(state) {
	return lookOf(state)[0];
}

/**
 * The path of the shape that stands for a state.
 *
 * @param {string} state
 */
export function shapeOf(state) {
	const [, shape] = lookOf(state);
	return Object.entries(SHAPES).find(([name]) => name === shape)?.[1] ?? SHAPES.ring;
}

/**
 * A state in a shape and a word.
 *
 * @param {string} state
 * @param {string} [word] where it is not called by its own name
 */
export function stateOf(state, word = plain(state).toLowerCase()) {
	const icon = drawing(
		"svg",
		{ class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" },
		drawing("path", { d: shapeOf(state) }),
	);
	return element("span", { class: `state ${kindOf(state)}`, "data-state": state }, icon, word);
}

/**
 * The name of a colour, or of one of its generations, in its colour.
 *
 * @param {string} name such as `green` or `green-2`
 */
export function colorName(name) {
	const color = name.split("-", 1)[0];
	return element("span", { class: `name ${color}` }, name);
}

/**
 * How long something has been going on, told anew every second.
 *
 * @param {string} since
 */
export function running(since) {
	return element("span", { "data-since": since });
}
