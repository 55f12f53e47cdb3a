import assert from "node:assert/strict";
import {
	noteBuilding,
	noteColor,
	noteDropped,
	noteLive,
	noteSwitched,
	noteSwitchStarted,
} from "../../components/catalog/blue-green";
import { closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { logExecutionSteps } from "../../components/catalog/execution-log";
import { finishRollback, startRollback } from "../../components/catalog/rollbacks";
import { inBrowser } from "./browser";
import { BrowserBench } from "./browser-bench";
import { fillCatalog } from "./scene";
import { applyMigrations, deploymentOf, planStages, setStage } from "./writing";

const TOKEN = "correct-horse-battery-staple";
const STAGES = ["Build Database Schema", "Health Checks", "Switch Traffic"];

inBrowser("the dashboard in a browser", () => {
	const bench = BrowserBench.forSuite();

	it("shows what the catalog holds before, during and after a release and its rollback", async () => {
		const { catalog } = bench;
		const { client } = catalog;
		const page = await bench.look((await catalog.start()).url);
		const agree = (moment: string) => bench.agree(page, moment);
		await agree("before anything was deployed");
		assert.equal(await page.locator("#serving").innerText(), "nothing is live yet");

		const blue = catalog.node("blue", 1);
		const first = await openDeployment(client, deploymentOf("1.2.0"));
		await agree("when the first release begins");
		await noteColor(client, "staging", blue, "1.2.0", "deploying");
		await applyMigrations(catalog, blue.admin.database, first, ["1.0.0", "1.1.0", "1.2.0"], () =>
			agree("while a migration runs"),
		);
		await noteLive(client, blue, { status: "completed", rollback: false, health: [] });
		await closeDeployment(client, first, { status: "completed" });
		await agree("after the first release");
		assert.match(await page.locator("#serving").innerText(), /^blue-1\s+is live with release 1\.2\.0$/);

		const green = catalog.node("green", 2);
		const second = await openDeployment(client, deploymentOf("1.3.0"));
		await planStages(catalog, second, STAGES);
		await noteBuilding(client, green, "1.3.0");
		await setStage(catalog, second, 1, "running");
		await logExecutionSteps(client, second, [{ step: "green-2: copy", status: "started" }]);
		await agree("while the database is copied");
		assert.match(
			await page.locator("#traffic .color.green").innerText(),
			/being built: green-2 for release 1\.3\.0/,
		);
		await applyMigrations(catalog, green.admin.database, second, ["1.2.0", "1.3.0"], () =>
			agree("while a migration of the new colour runs"),
		);
		await noteColor(client, "staging", green, "1.3.0", "deploying");
		await setStage(catalog, second, 1, "completed");
		await setStage(catalog, second, 2, "running");
		await agree("while the second stage runs");
		await client.query(
			`INSERT INTO deployment_health_checks (environment, color, check_name, status, figure, unit, detail)
			VALUES ('staging', 'green', 'api_endpoints', 'WARNING', 812.25, 'ms', '/version took long')`,
		);
		await setStage(catalog, second, 2, "completed");
		await agree("with a check that warns");
		await noteSwitchStarted(client, green);
		await agree("while the traffic moves");
		assert.match(await page.locator("#switch").innerText(), /^The traffic has been moving since /);
		await noteSwitched(client, green);
		await agree("while the new colour is watched");
		assert.match(
			await page.locator("#switch").innerText(),
			/^The traffic came to green at .*, and is watched there\.$/,
		);
		await noteLive(client, green, { status: "completed", rollback: false, health: [] });
		await setStage(catalog, second, 3, "completed");
		await closeDeployment(client, second, { status: "completed" });
		await agree("after the second release");
		assert.match(await page.locator("#serving").innerText(), /^green-2\s+is live with release 1\.3\.0$/);

		const third = await openDeployment(client, deploymentOf("1.2.0"));
		await planStages(catalog, third, STAGES);
		const rollback = await startRollback(client, {
			deploymentId: third,
			type: "manual",
			reason: "the release was put back to 1.2.0",
			previousVersion: "1.3.0",
			targetVersion: "1.2.0",
		});
		await agree("while it is put back");
		await finishRollback(client, rollback, {
			steps: [
				{ step: "close", status: "completed", durationMs: 3.4 },
				{ step: "route", status: "completed", durationMs: 1.2 },
			],
		});
		await noteLive(client, blue, { status: "completed", rollback: true, health: [] });
		await setStage(catalog, third, 1, "failed", "the copy stopped");
		await setStage(catalog, third, 2, "skipped");
		await closeDeployment(client, third, { status: "rolled_back", error: "put back" });
		await agree("after it was put back");
		await noteDropped(client, green, undefined);
		await agree("once the other colour is dropped");
	});

	it("shows what others wrote as text, whatever is in it", async () => {
		const { client } = bench.catalog;
		const markup = '<img src=x onerror="document.title=1"><b>bold</b>';
		const id = await openDeployment(client, { ...deploymentOf(markup), triggeredBy: markup });
		await planStages(bench.catalog, id, [markup]);
		await closeDeployment(client, id, { status: "failed", error: markup });
		await startRollback(client, { deploymentId: id, type: "automatic", reason: markup });
		const page = await bench.look((await bench.catalog.start()).url);
		await page.locator("#rollbacks li").waitFor();
		for (const part of ["#pipeline", "#stages", "#rollbacks", "#history-rows"]) {
			assert.equal(await page.locator(`${part} :is(b, img)`).count(), 0, part);
		}
		assert.equal(await page.locator("#pipeline .error").innerText(), markup);
	});

	it("keeps open what was opened, and the keyboard where it was, while a deployment goes on", async () => {
		const { catalog } = bench;
		const id = await openDeployment(catalog.client, deploymentOf("1.2.0"));
		await planStages(catalog, id, STAGES);
		await catalog.client.query("UPDATE deployment_stages SET stage_output = 'first line'");
		const page = await bench.look((await catalog.start()).url);
		const output = page.locator('#stages [data-of="2"]');
		await output.locator("summary").press("Enter");
		await setStage(catalog, id, 1, "completed");
		await page.locator('#stages [data-stage="1"]', { hasText: "completed" }).waitFor();
		assert.equal(await output.locator("pre").innerText(), "first line");
		await page.keyboard.press("Enter");
		await output.locator("pre").waitFor({ state: "hidden" });
	});

	it("tells since when it is not connected, and connects again by itself", async () => {
		const dashboard = await bench.catalog.start();
		const page = await bench.look(dashboard.url);
		await page.locator("#connection", { hasText: /^connected$/ }).waitFor();
		await dashboard.close();
		await page.locator("#lost", { hasText: /^Not connected since \d\d:\d\d:\d\d; / }).waitFor();
		assert.equal(await page.locator("#connection").innerText(), "not connected");
		await openDeployment(bench.catalog.client, deploymentOf("1.4.0"));
		await bench.catalog.start({ port: dashboard.port });
		await page.locator("#lost").waitFor({ state: "hidden" });
		await bench.agree(page, "after it was connected again");
	});

	it("tells when the catalog does not answer its server", async () => {
		const page = await bench.look((await bench.catalog.start()).url);
		await bench.agree(page, "before");
		await bench.catalog.letIn(false);
		await page.locator("#unreachable", { hasText: /^The catalog has not answered since / }).waitFor();
		await bench.catalog.letIn(true);
		await page.locator("#unreachable").waitFor({ state: "hidden" });
	});

	it("asks for the token where one is needed, and lets go of it on request", async () => {
		const page = await bench.look((await bench.catalog.start({ token: TOKEN })).url);
		await page.getByLabel("Token").fill("battery-horse-correct-staple");
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByRole("alert").filter({ hasText: "That is not the token." }).waitFor();
		await page.getByLabel("Token").fill(TOKEN);
		await page.keyboard.press("Enter");
		await page.locator("#serving", { hasText: "nothing is live yet" }).waitFor();
		await bench.agree(page, "once signed in");
		assert.equal(new URL(page.url()).search, "");
		assert.equal(await page.evaluate("document.cookie"), "");
		await page.getByRole("button", { name: "Sign out" }).click();
		await page.getByLabel("Token").waitFor();
	});

	it("has a table for each plot, with what the plot shows", async () => {
		await fillCatalog(bench.catalog);
		const page = await bench.look((await bench.catalog.start()).url);
		await bench.agree(page, "with a month of deployments");
		const plot = page.locator("#history-plot > svg");
		assert.equal(await plot.locator("[data-deployment]").count(), 24);
		assert.match(
			(await plot.getAttribute("aria-label")) ?? "",
			/^Duration and outcome of each deployment of 30 days: 24 deployments: 16 completed, 4 rolled back, 4 failed/,
		);
		assert.equal(await page.locator("#history-rows tr").count(), 24);
		await page.locator("#lag-plot > svg path.line").waitFor({ state: "attached" });
		assert.match(
			(await page.locator("#lag-plot > svg").getAttribute("aria-label")) ?? "",
			/^Replication lag since .*blue-1 is 0 B behind green-2, highest 0 B$/,
		);
		assert((await page.locator("#lag-rows tr").count()) > 0);
	});
});
