"use strict";

// Runs before every other script, so it may use nothing but Node: it installs what package-lock.json asks for when it
// is not there yet.
const { spawnSync } = require("node:child_process");
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

const root = join(__dirname, "..");
const OLDEST_NODE = [20, 19];

function main() {
	const [major, minor] = process.versions.node.split(".").map(Number);
	if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
		console.error(`Node ${OLDEST_NODE.join(".")} or newer is needed; this is ${process.version}.`);
		return 1;
	}
	if (process.platform === "win32") {
		console.error("Windows is not supported; use WSL, Linux or macOS.");
		return 1;
	}
	if (isInstalled()) {
		return 0;
	}
	console.log("Installing packages (npm ci) …");
	const result = spawnSync("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"], {
		cwd: root,
		stdio: "inherit",
	});
	if (result.error) {
		console.error(`npm could not be started: ${result.error.message}`);
	}
	return result.status ?? 1;
}

/** npm notes what it installed in a lockfile of its own; every package that we ask for must stand there as we ask for it. */
function isInstalled() {
	const installedFile = join(root, "node_modules", ".package-lock.json");
	if (!existsSync(installedFile)) {
		return false;
	}
	const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
	const installed = JSON.parse(readFileSync(installedFile, "utf8")).packages;
	return Object.entries(wanted).every(
		([path, { version, optional }]) => path === "" || optional || installed[path]?.version === version,
	);
}

process.exitCode = main();
