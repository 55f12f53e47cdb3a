"use strict";
/*
 * Loaded before anything else into the processes that the engine starts. They are told of a pipe that the engine
 * holds open; when the engine is gone, however it went, the pipe closes and this process ends with all it started in
 * its group. A thread watches, so that a program that never yields ends too. An engine that was gone before this was
 * loaded has left a pipe that is closed already.
 */
const { isMainThread, Worker } = require("node:worker_threads");

const descriptor = process.env.PULUMI_ENGINE_LIFELINE;
if (isMainThread && descriptor !== undefined) {
	delete process.env.PULUMI_ENGINE_LIFELINE;
	const watch = `
		const end = () => {
			try { process.kill(-process.pid, "SIGKILL"); } catch { process.kill(process.pid, "SIGKILL"); }
		};
		const pipe = new (require("node:net").Socket)({ fd: ${Number(descriptor)}, readable: true, writable: false });
		pipe.on("close", end).on("error", end).resume();
	`;
	new Worker(watch, { eval: true, execArgv: [], stdin: false }).unref();
}
