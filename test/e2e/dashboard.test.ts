import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import type { Browser, Page } from "playwright-core";
import { inBrowser, openBrowser } from "../dashboard/browser";
import { DeployedProject } from "../support/deployed-project";
import { finished } from "../support/project";
import { until } from "../support/waiting";

inBrowser("the dashboard of a stack that is deployed, on the embedded engine", () => {
	let project: DeployedProject;
	let browser: Browser;
	let dashboard: ChildProcess | undefined;

	before(async () => {
		browser = await openBrowser();
		project = new DeployedProject("embedded");
		await project.init();
	});

	after(async () => {
		dashboard?.kill("SIGKILL");
		await browser?.close();
		await project?.discard();
	});

	/** Starts the command. Returns its address, and what it comes to in the end. */
	async function startDashboard() {
		const child = project.start(["--stack", project.stack, "--port", "0"], {}, "dashboard.ts");
		dashboard = child;
		const result = finished(child);
		let printed = "";
		child.stdout?.on("data", (text: string) => {
			printed += text;
		});
		const url = await until(
			"the dashboard tells its address",
			() =>
				/The dashboard of dev is at (http:\S+)/.exec(printed)?.[1] ??
				(child.exitCode !== null ? "" : undefined),
		);
		return { url, child, result };
	}

	const deployment = (page: Page) => page.locator("#pipeline .headline");

	it("shows an update as it goes, without being told anything but the stack", async () => {
		await project.mustUp();
		const { url, child, result } = await startDashboard();
		const page = await browser.newPage();
		await page.goto(url);
		await page.locator("#serving", { hasText: "release 1.3.0 is live" }).waitFor();
		await deployment(page).filter({ hasText: "completed" }).waitFor();

		project.addTable("1.4.0", "zones");
		project.configure({ release: "1.4.0" });
		const updated = project.up();
		await deployment(page).filter({ hasText: "Release 1.4.0" }).filter({ hasText: "running" }).waitFor();
		assert.equal((await updated).code, 0, (await updated).output);
		await deployment(page).filter({ hasText: "Release 1.4.0" }).filter({ hasText: "completed" }).waitFor();
		await page.locator("#serving", { hasText: "release 1.4.0 is live" }).waitFor();
		await page.locator('#migrations [data-version="1.4.0"]', { hasText: "applied" }).waitFor();
		assert.equal(await page.locator("#stack").innerText(), "dev");

		child.kill("SIGTERM");
		const { code, output } = await result;
		assert.equal(code, 0, output);
		assert.equal(output.trim().split("\n").length, 1, output);
	});
});
