import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectDirectory } from "../scripts/project";
import { fill } from "./fill";
import { Load } from "./load";
import { onlyOne } from "./only-one";
import { describeReport, type SwitchSpan } from "./report";
import { DemoStack } from "./stack";
import { verifyWrites } from "./verify";

const RESULTS = 1_000_000;
const READS_PER_SECOND = 150;
const WRITES_PER_SECOND = 150;
const GOES_ON_MS = 3000;

const started = performance.now();

function tell(line: string): void {
	console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

/** Releases and puts back a service with a million rows while clients read and write, and counts what became of them. */
async function demo(stack: DemoStack): Promise<number> {
	tell("deploying release 1.2.0: PostgreSQL, catalog, colour blue, router");
	await stack.create();
	await stack.up();
	tell(`filling the live database with ${RESULTS.toLocaleString("en")} counting results`);
	const cameraIds = await fill(await stack.liveDatabase(), RESULTS);
	const { url } = await stack.outputs();
	tell(`clients now read and write through ${url} (${READS_PER_SECOND} + ${WRITES_PER_SECOND} a second)`);
	const load = new Load({
		url,
		cameraIds,
		readsPerSecond: READS_PER_SECOND,
		writesPerSecond: WRITES_PER_SECOND,
	});
	const spans: SwitchSpan[] = [];
	try {
		await sleep(GOES_ON_MS);
		spans.push(await switchTo(stack, "1.3.0", "release 1.3.0"));
		await sleep(GOES_ON_MS);
		spans.push(await switchTo(stack, "1.2.0", "putting release 1.2.0 back"));
		await sleep(GOES_ON_MS);
	} finally {
		await load.stop();
	}
	const report = load.soFar;
	const verification = await verifyWrites(await stack.liveDatabase(), report.acknowledged);
	console.log(describeReport(report, spans, verification));
	return report.failures.length + verification.lost.length + verification.duplicated.length === 0 ? 0 : 1;
}

async function switchTo(stack: DemoStack, release: string, what: string): Promise<SwitchSpan> {
	tell(`${what}: the stack file says ${release}, pulumi up`);
	stack.setRelease(release);
	const from = performance.now();
	await stack.up();
	const to = performance.now();
	const { live, pauseMs } = await stack.outputs();
	tell(`${what}: done, ${live} is live`);
	return { what, from, to, pauseMs };
}

async function main(): Promise<number> {
	return onlyOne(join(projectDirectory, ".local", "demo.pid"), "demo/main.ts", run);
}

async function run(): Promise<number> {
	const stack = new DemoStack(tell);
	let failed = true;
	try {
		const code = await demo(stack);
		failed = code !== 0;
		return code;
	} finally {
		tell("cleaning up");
		await stack.remove();
		tell(failed ? "done, with failures" : "done");
	}
}

// `npm run demo`: a release and a rollback of a live database under load, from nothing and without a trace.
main().then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
		process.exitCode = 1;
	},
);
