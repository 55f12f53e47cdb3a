import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { poll } from "../../components/local/deadline";
import { DashboardBench } from "./bench";
import { openBrowser } from "./browser";
import { held } from "./held";
import { shown } from "./shown";

const DEADLINE_MS = 20_000;
/** A page that is not let in, or whose server is gone, is told so by the browser as well. */
const EXPECTED = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|status of 401/;

/** A catalog and a browser that looks at the dashboards on it, for each test of a suite; no page may complain. */
export class BrowserBench {
	private browser: Browser | undefined;
	private current: { catalog: DashboardBench; pages: Page[]; complaints: string[] } | undefined;

	/** Declares what each test of the suite begins and ends with. */
	static forSuite(): BrowserBench {
		const bench = new BrowserBench();
		before(async () => {
			bench.browser = await openBrowser();
		});
		after(() => bench.browser?.close());
		beforeEach(async () => {
			bench.current = { catalog: await DashboardBench.open(), pages: [], complaints: [] };
		});
		afterEach(async () => {
			const { catalog, pages, complaints } = bench.now;
			await Promise.all(pages.map((page) => page.context().close()));
			await catalog.close();
			assert.deepEqual(complaints, []);
		});
		return bench;
	}

	get catalog(): DashboardBench {
		return this.now.catalog;
	}

	/** Opens an address in a window of its own. */
	async look(url: string, options: BrowserContextOptions = {}): Promise<Page> {
		assert(this.browser);
		const { pages, complaints } = this.now;
		const context = await this.browser.newContext({ timezoneId: "UTC", ...options });
		const page = await context.newPage();
		pages.push(page);
		page.setDefaultTimeout(DEADLINE_MS);
		page.on("pageerror", (error) => complaints.push(error.message));
		page.on("console", (message) => {
			if (message.type() === "error" && !EXPECTED.test(message.text())) {
				complaints.push(message.text());
			}
		});
		await page.goto(url);
		return page;
	}

	/** Waits until a page shows what the catalog holds, in every part. */
	async agree(page: Page, moment: string): Promise<void> {
		const agrees = async () => isDeepStrictEqual(await shown(page), await held(this.catalog));
		await poll(DEADLINE_MS, 20, async () => (await agrees()) || undefined);
		assert.deepEqual(await shown(page), await held(this.catalog), moment);
	}

	private get now() {
		assert(this.current);
		return this.current;
	}
}
