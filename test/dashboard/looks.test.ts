import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { openDeployment } from "../../components/catalog/deployments";
import { inBrowser } from "./browser";
import { BrowserBench } from "./browser-bench";
import { fillCatalog } from "./scene";
import { deploymentOf, planStages, setStage } from "./writing";

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };
const LOOKS = {
	"a desk in the light": { viewport: DESKTOP, colorScheme: "light" },
	"a desk in the dark": { viewport: DESKTOP, colorScheme: "dark" },
	"a phone in the light": { viewport: PHONE, colorScheme: "light" },
	"a phone in the dark": { viewport: PHONE, colorScheme: "dark" },
} as const;

inBrowser("the dashboard's looks", () => {
	const bench = BrowserBench.forSuite();

	for (const [title, options] of Object.entries(LOOKS)) {
		it(`fit ${title}, and are plain to those who do not see them or use no mouse`, async () => {
			const { catalog } = bench;
			await fillCatalog(catalog);
			const id = await openDeployment(catalog.client, deploymentOf("1.4.0"));
			await planStages(catalog, id, ["Build", "Health Checks", `Without_any_blank_${"x".repeat(60)}`]);
			await setStage(catalog, id, 1, "failed", "service green-2 is not healthy after 30 s");
			await setStage(catalog, id, 2, "running");
			const page = await bench.look((await catalog.start()).url, options);
			await bench.agree(page, "with a month of deployments");
			await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');

			assert.equal(await page.evaluate("document.documentElement.scrollWidth"), options.viewport.width);
			assert.deepEqual(await violations(page), []);
			const reached = await tabThrough(page);
			const wanted = page.locator("summary:visible, button:visible, a:visible, input:visible");
			assert.equal(reached.length, await wanted.count());
			assert.deepEqual(
				reached.filter(({ outline }) => outline === "none"),
				[],
			);
		});
	}

	it("move nothing for those who want less motion", async () => {
		const { url } = await bench.catalog.start();
		await openDeployment(bench.catalog.client, deploymentOf("1.2.0"));
		const animation = async (reducedMotion: "reduce" | "no-preference") => {
			const page = await bench.look(url, { reducedMotion });
			const icon = "#pipeline .busy .icon";
			await page.locator(icon).waitFor();
			return page.evaluate(`getComputedStyle(document.querySelector("${icon}")).animationName`);
		};
		assert.equal(await animation("reduce"), "none");
		assert.equal(await animation("no-preference"), "breathe");
	});

	it("are as plain when one has to sign in", async () => {
		const { url } = await bench.catalog.start({ token: "correct-horse-battery-staple" });
		for (const options of Object.values(LOOKS)) {
			const page = await bench.look(url, options);
			await page.getByLabel("Token").waitFor();
			assert.deepEqual(await violations(page), []);
			assert.equal(await page.evaluate("document.documentElement.scrollWidth"), options.viewport.width);
		}
	});
});

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds fault with, by rule and place. */
async function violations(page: Page): Promise<string[]> {
	await page.evaluate(AXE);
	const found = (await page.evaluate("axe.run()")) as {
		violations: { id: string; nodes: { target: string[] }[] }[];
	};
	return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
}

interface Reached {
	name: string;
	outline: string;
}

const FOCUSED = `(() => {
	const element = document.activeElement;
	const outline = getComputedStyle(element).outlineStyle;
	return element === document.body ? null : { name: element.innerText, outline };
})()`;
const MOST_STOPS = 200;

/** Everything that the keyboard comes to, with how it shows that it is there. */
async function tabThrough(page: Page): Promise<Reached[]> {
	const reached: Reached[] = [];
	await page.evaluate("document.activeElement.blur()");
	while (reached.length < MOST_STOPS) {
		await page.keyboard.press("Tab");
		const focused = (await page.evaluate(FOCUSED)) as Reached | null;
		if (focused === null) {
			break;
		}
		reached.push(focused);
	}
	return reached;
}
