const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element with attributes and children. Text becomes text, never markup.
 *
 * @param {string} tag
 * @param {Record<string, string | number | undefined>} [attributes]
 * @param {...Child} children
 */
export function element(tag, attributes = {}, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

/**
 * @param {string} tag
 * @param {Record<string, string | number | undefined>} [attributes]
 * @param {...Child} children
 */
export function drawing(tag, attributes = {}, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} E
 * @param {E} made
 * @param {Record<string, string | number | undefined>} attributes
 * @param {Child[]} children
 */
function fill(made, attributes, children) {
	for (const [name, value] of Object.entries(attributes)) {
		if (value !== undefined) {
			made.setAttribute(name, String(value));
		}
	}
	made.append(...present(children));
	return made;
}

/**
 * Puts children in the place of those that an element had.
 *
 * @param {Element} parent
 * @param {...Child} children
 */
export function put(parent, ...children) {
	parent.replaceChildren(...present(children));
}

/**
 * The same of children with details in them, each with what it is of in `data-of`: those that were open stay open, and
 * the keyboard stays where it is.
 *
 * @param {Element} parent
 * @param {...Child} children
 */
export function putDetails(parent, ...children) {
	const open = new Set([...parent.querySelectorAll("details[open]")].map(ofWhat));
	const focused = parent.contains(document.activeElement)
		? document.activeElement?.closest("details")
		: undefined;
	put(parent, ...children);
	for (const details of parent.querySelectorAll("details")) {
		details.open = open.has(ofWhat(details));
		if (focused && ofWhat(details) === ofWhat(focused)) {
			details.querySelector("summary")?.focus({ preventScroll: true });
		}
	}
}

/** @param {Element} details */
function ofWhat(details) {
	return details.getAttribute("data-of");
}

/** @param {Child[]} children */
function present(children) {
	return children.flatMap((child) => (child instanceof Node || typeof child === "string" ? [child] : []));
}

/**
 * The element that the page has under an id.
 *
 * @param {string} id
 */
export function byId(id) {
	const found = document.getElementById(id);
	if (found === null) {
		throw new Error(`the page has no element ${id}`);
	}
	return found;
}

/**
 * Writes a text where another one stands; what is the same already is not touched, so that no screen reader repeats it.
 *
 * @param {Element} parent
 * @param {string} text
 */
export function write(parent, text) {
	if (parent.textContent !== text) {
		parent.textContent = text;
	}
}

/**
 * Shows an element, or hides it.
 *
 * @param {string} id
 * @param {boolean} isShown
 */
export function show(id, isShown) {
	byId(id).hidden = !isShown;
}
