"use strict";
/*
 * Loaded before anything else into the processes that the engine starts. File descriptor 3 is a pipe that the engine
 * holds open; when the engine is gone, however it went, the pipe closes and this process ends with all it started in
 * its group. A thread watches, so that a program that never yields ends too.
 */
const { isMainThread, Worker } = require("node:worker_threads");

if (isMainThread && process.env.PULUMI_ENGINE_LIFELINE === String(process.ppid)) {
	delete process.env.PULUMI_ENGINE_LIFELINE;
	const watch = `
		const end = () => {
			try { process.kill(-process.pid, "SIGKILL"); } catch { process.kill(process.pid, "SIGKILL"); }
		};
		const pipe = new (require("node:net").Socket)({ fd: 3, readable: true, writable: false });
		pipe.on("close", end).on("error", end).resume();
	`;
	new Worker(watch, { eval: true, execArgv: [], stdin: false }).unref();
}
