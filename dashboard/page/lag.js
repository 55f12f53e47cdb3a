import { byId, drawing, element, put, show } from "./elements.js";
import { Samples } from "./samples.js";
import { roundScale } from "./scale.js";
import { clock, figure } from "./words.js";

/** @typedef {import("../state").Lag} Lag */
/** @typedef {import("../state").LagLink} LagLink */

const HEIGHT = 150;
const LEFT = 56;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;
/** Without a sample for so long the line is broken: nothing was known. */
const GAP_MS = 5000;
/** Rows of the table, which tells the highest value of an equal share of the time each. */
const ROWS = 12;

/** The lag of each link for as long as the page has been open. */
export class LagPlot {
	/** @type {Map<string, { link: LagLink, samples: Samples }>} */
	links = new Map();
	unit = "";
	/** By the catalog's clock, as everything here. */
	openedAt = Number.POSITIVE_INFINITY;

	/**
	 * Takes note of what the lag is now, once a second while the page is connected.
	 *
	 * @param {Lag | null} lag
	 * @param {number} at milliseconds since 1970
	 */
	sample(lag, at) {
		this.openedAt = Math.min(this.openedAt, at);
		if (lag === null) {
			return;
		}
		if (lag.unit !== this.unit) {
			this.links.clear();
			this.unit = lag.unit;
		}
		for (const link of lag.links) {
			const known = this.links.get(link.id) ?? { link, samples: new Samples() };
			this.links.set(link.id, { ...known, link });
			known.samples.add(at, link.value);
		}
	}

	/**
	 * @param {Lag | null} lag
	 * @param {number} now milliseconds since 1970
	 */
	draw(lag, now) {
		put(byId("lag-now"), ...this.readout(lag));
		const shown = [...this.links.values()];
		show("lag-details", shown.length > 0);
		show("lag-plot", shown.length > 0);
		if (shown.length === 0) {
			return;
		}
		const plot = byId("lag-plot");
		const width = Math.max(200, plot.clientWidth);
		const highest = Math.max(...shown.flatMap(({ samples }) => samples.kept.map(({ value }) => value)));
		const { end, step } = roundScale(Math.max(highest, this.unit === "bytes" ? 1000 : 1));
		const from = Math.min(this.openedAt, now - 60_000);
		const x = (/** @type {number} */ at) => LEFT + ((at - from) / (now - from)) * (width - LEFT - RIGHT);
		const y = (/** @type {number} */ value) => HEIGHT - BOTTOM - (value / end) * (HEIGHT - TOP - BOTTOM);
		const title = `Replication lag since ${clock(new Date(from))}: ${this.words(lag)}, highest ${figure(highest, this.unit)}`;
		put(
			plot,
			drawing(
				"svg",
				{ viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": title },
				...marks(end, step).flatMap((value) => [
					drawing("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
					drawing("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, figure(value, this.unit)),
				]),
				drawing("text", { x: LEFT, y: HEIGHT - 4 }, clock(new Date(from))),
				drawing("text", { x: width - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, "now"),
				...shown.map(({ link, samples }, index) =>
					drawing("path", { class: lineClass(link, index), d: pathOf(samples, x, y) }),
				),
			),
			shown.length > 1 && legendOf(shown.map(({ link }) => link)),
		);
		this.fillTable(from, now);
	}

	/** @param {Lag | null} lag */
	readout(lag) {
		if (lag === null) {
			return [element("span", { class: "muted" }, "Nothing follows the live colour now.")];
		}
		const since = lag.links.find(({ at }) => at !== null)?.at;
		return [
			this.words(lag),
			since != null && element("span", { class: "muted" }, ` as checked at ${clock(new Date(since))}`),
		];
	}

	/** @param {Lag | null} lag */
	words(lag) {
		const links = lag?.links ?? [];
		return links.length === 0
			? "nothing follows now"
			: links
					.map(
						({ to, from, value, connected }) =>
							`${to} is ${figure(value, this.unit || (lag?.unit ?? null))} behind ${from}${connected === false ? " and not connected" : ""}`,
					)
					.join("; ");
	}

	/**
	 * @param {number} from
	 * @param {number} now
	 */
	fillTable(from, now) {
		const width = (now - from) / ROWS;
		const rows = [...this.links.values()].flatMap(({ link, samples }) =>
			Array.from({ length: ROWS }, (_, index) => {
				const begin = from + index * width;
				const within = samples.kept.filter(({ at, until }) => until >= begin && at <= begin + width);
				return { link, begin, end: begin + width, within };
			}).filter(({ within }) => within.length > 0),
		);
		put(
			byId("lag-rows"),
			...rows.map(({ link, begin, end, within }) =>
				element(
					"tr",
					{},
					element("td", {}, clock(new Date(begin))),
					element("td", {}, clock(new Date(end))),
					element("td", {}, `${link.from} to ${link.to}`),
					element(
						"td",
						{ class: "figure" },
						figure(Math.max(...within.map(({ value }) => value)), this.unit),
					),
				),
			),
		);
	}
}

/**
 * Solid and dashed by turns, as two links may lead to the same colour.
 *
 * @param {LagLink} link
 * @param {number} index
 */
function lineClass({ to }, index) {
	return `line ${to.split("-", 1)[0]}${index % 2 === 1 ? " second" : ""}`;
}

/** @param {LagLink[]} links */
function legendOf(links) {
	return element(
		"p",
		{ class: "legend" },
		...links.map((link, index) =>
			element(
				"span",
				{},
				drawing(
					"svg",
					{ class: "sample", viewBox: "0 0 28 8", width: 28, height: 8, "aria-hidden": "true" },
					drawing("path", { class: lineClass(link, index), d: "M1 4H27" }),
				),
				` ${link.from} to ${link.to}`,
			),
		),
	);
}

/**
 * @param {number} end
 * @param {number} step
 */
function marks(end, step) {
	return Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step);
}

/**
 * @param {Samples} samples
 * @param {(at: number) => number} x
 * @param {(value: number) => number} y
 */
function pathOf(samples, x, y) {
	let path = "";
	let last = Number.NEGATIVE_INFINITY;
	for (const { at, until, value } of samples.kept) {
		const command = at - last > Math.max(GAP_MS, 2 * samples.widthMs) ? "M" : "L";
		path += `${command}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
		if (until > at) {
			path += `L${x(until).toFixed(1)} ${y(value).toFixed(1)}`;
		}
		last = until;
	}
	return path;
}
