import type { Page } from "playwright-core";

/** What the parts of the dashboard say, in its own words; moments and durations are left out. */
export interface Overview {
	live: string[];
	colors: string[];
	deployment: string[];
	stages: string[];
	checks: string[];
	migrations: string[];
	rollbacks: string[];
	history: string[];
}

/** Runs in the page, which is read at one moment so. */
const READ = `(() => {
	const text = (element) => (element?.innerText ?? "").replace(/\\s+/g, " ").trim();
	const raw = (element) => (element?.textContent ?? "").replace(/\\s+/g, " ").trim();
	const all = (selector, each, within = document) => [...within.querySelectorAll(selector)].map(each);
	const state = (element) => raw(element.querySelector("[data-state]"));
	const head = all("#migrations-head th", raw).slice(1);
	return {
		live: all("#traffic .color.live", (card) => card.getAttribute("data-color")),
		colors: all("#traffic .color", (card) => [
			card.getAttribute("data-color"), raw(card.querySelector(".name")), text(card.querySelector(".role")), raw(card.querySelector(".release")),
		].join(" | ")),
		deployment: all("#pipeline .headline", (line) => [
			raw(line.querySelector("strong")), state(line), raw(document.querySelector("#pipeline .error")),
		].join(" | ")),
		stages: all("#stages > li", (row) => [row.getAttribute("data-name"), state(row), raw(row.querySelector(".error"))].join(" | ")),
		checks: all("#checks [data-check]", (row) => [
			row.getAttribute("data-check"), row.getAttribute("data-color"), raw(row.querySelector(".figure")), state(row), raw(row.querySelector("th .muted")),
		].join(" | ")).sort(),
		migrations: all("#migrations tr", (row) => [
			row.querySelector("th").firstChild.textContent, raw(row.querySelector("th .muted")),
			...all("td", (cell, index) => head[index] + " " + state(cell), row),
		].join(" | ")),
		rollbacks: all("#rollbacks > li", (item) => [
			raw(item.querySelector("strong")), state(item), raw(item.querySelector(".reason")), raw(item.querySelector(".error")),
			...all("ol li", (step) => raw(step.children[1]) + " " + state(step), item),
		].join(" | ")),
		history: all("#history-rows tr", (row) => [row.getAttribute("data-deployment"), raw(row.children[1]), state(row)].join(" | ")),
	};
})()`;

/** What the page says now. */
export async function shown(page: Page): Promise<Overview> {
	return (await page.evaluate(READ)) as Overview;
}
