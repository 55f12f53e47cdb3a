import { showChecks } from "./checks.js";
import { byId, show, write } from "./elements.js";
import { showEnvironment } from "./environment.js";
import { showHistory } from "./history.js";
import { LagPlot } from "./lag.js";
import { showMigrations } from "./migrations.js";
import { Newsreader } from "./news.js";
import { showPipeline } from "./pipeline.js";
import { showRollbacks } from "./rollbacks.js";
import { follow } from "./stream.js";
import { showTraffic } from "./traffic.js";
import { clock, duration, moment } from "./words.js";

/** @typedef {import("../state").DashboardState} DashboardState */

/** @type {Partial<DashboardState>} */
const state = {};
const lagPlot = new LagPlot();
const news = new Newsreader();
/** What the catalog's clock is ahead of this machine's, in milliseconds. */
let aheadMs = 0;
/** @type {Date | undefined} */
let lostSince;
let isConnected = false;

function now() {
	return new Date(Date.now() + aheadMs);
}

follow({
	changed({ now: at, changed }) {
		aheadMs = Date.parse(at) - Date.now();
		Object.assign(state, changed);
		render(new Set(Object.keys(changed)));
	},
	connection(since) {
		lostSince = since;
		isConnected = since === undefined;
		showConnection();
	},
});

/** @param {Set<string>} changed names of sections */
function render(changed) {
	const { environment, traffic, migrations, pipeline, checks, lag, deployments, rollbacks, catalog } = state;
	if (catalog !== undefined) {
		show("unreachable", !catalog.reachable);
		if (!catalog.reachable) {
			const since = moment(catalog.since, now());
			write(
				byId("unreachable"),
				`The catalog has not answered since ${since}; what is shown is from then. Trying again. (${catalog.reason})`,
			);
		}
	}
	if (changed.has("environment") && environment !== undefined) {
		showEnvironment(environment);
	}
	if ((changed.has("traffic") || changed.has("lag")) && traffic !== undefined) {
		showTraffic(traffic, lag ?? null, now());
	}
	if (changed.has("pipeline") && pipeline !== undefined) {
		showPipeline(pipeline, now());
		news.tell(pipeline);
	}
	if ((changed.has("checks") || changed.has("traffic")) && checks !== undefined) {
		showChecks(checks, traffic?.live ?? null, now());
	}
	if (changed.has("migrations") && migrations !== undefined) {
		showMigrations(migrations, now());
	}
	if (changed.has("deployments") && deployments !== undefined) {
		showHistory(deployments, now());
	}
	if (changed.has("rollbacks") && rollbacks !== undefined) {
		showRollbacks(rollbacks, now());
	}
	showTitle();
	tick();
}

function showTitle() {
	const { environment, pipeline } = state;
	const what = pipeline == null ? "" : `${pipeline.release} ${pipeline.status.replaceAll("_", " ")} – `;
	document.title = `${what}${environment?.stack ?? "deployments"}`;
}

function showConnection() {
	const line = byId("connection");
	line.classList.toggle("lost", lostSince !== undefined);
	show("lost", lostSince !== undefined);
	if (lostSince === undefined) {
		write(line, "connected");
	} else {
		write(line, "not connected");
		write(byId("lost"), `Not connected since ${clock(lostSince)}; what is shown is from then. Trying again.`);
	}
}

/** What goes on by itself from one second to the next. */
function tick() {
	const at = now();
	for (const running of document.querySelectorAll("[data-since]")) {
		write(running, duration(at.getTime() - Date.parse(running.getAttribute("data-since") ?? "")));
	}
	const { lag, catalog } = state;
	if (lag !== undefined) {
		if (isConnected && catalog?.reachable) {
			lagPlot.sample(lag, at.getTime());
		}
		lagPlot.draw(lag, at.getTime());
	}
}

setInterval(tick, 1000);
// Plots are as wide as their panel.
addEventListener("resize", () => {
	if (state.deployments !== undefined) {
		showHistory(state.deployments, now());
	}
	tick();
});

fetch("/access")
	.then((answer) => answer.json())
	.then(({ signedIn }) => show("sign-out", signedIn === true))
	// The stream tells of a server that does not answer.
	.catch(() => {});
