import assert from "node:assert/strict";
import { parseSettings } from "../../components/settings/settings";
import { judgeLoad } from "../../stages/load-limits";
import { numberOptions } from "../../stages/options";
import { policyFindings } from "../../stages/policy";

const project = "camera-counting";

function problems(
	environment: "development" | "staging" | "production",
	changes: Record<string, unknown> = {},
) {
	const own = {
		environment,
		platform: "local",
		strategy: "blue-green",
		release: "1.3.0",
		sslMode: "disable",
	};
	const values = Object.fromEntries(Object.entries(own).map(([key, value]) => [`${project}:${key}`, value]));
	const settings = { ...parseSettings({ project, values, secretKeys: [] }), ...changes };
	return policyFindings(environment, settings).flatMap(({ problem }) => problem ?? []);
}

describe("the policy of an environment", () => {
	it("is kept by the defaults of every environment", () => {
		assert.deepEqual(problems("development"), []);
		assert.deepEqual(problems("staging"), []);
		assert.deepEqual(problems("production"), []);
	});

	const broken: ["staging" | "production", Record<string, unknown>, RegExp][] = [
		["production", { platform: "aws" }, /^demanded: require or verify-full.*set sslMode/],
		["production", { backupSchedule: "daily" }, /^demanded: hourly/],
		["production", { debugMode: true }, /^demanded: false, since replies/],
		["production", { bakeSeconds: 0 }, /^demanded: more than 0/],
		["production", { alerting: false }, /^demanded: true, so that somebody/],
		["production", { logLevel: "debug" }, /^demanded: info, warn or error/],
		["production", { strategy: "in-place" }, /^demanded: blue-green/],
		["production", { copyVerification: "counts" }, /^demanded: checksums/],
		["staging", { backupSchedule: "weekly" }, /^demanded: daily or hourly/],
		["staging", { monitoring: false }, /^demanded: true, so that a fault/],
	];
	for (const [environment, changes, problem] of broken) {
		it(`refuses ${JSON.stringify(changes)} in ${environment}`, () => {
			const found = problems(environment, changes);
			assert.equal(found.length, 1);
			assert.match(found[0] ?? "", problem);
		});
	}
});

describe("the limits of a load", () => {
	const limits = { p99Ms: 100, maxErrorPercent: 1, minRequests: 50 };
	const judged = (measured: { requests: number; failed: number; p99Ms: number }) =>
		judgeLoad(measured, limits).map(({ problem }) => problem !== undefined);

	it("are kept at the limits and broken beyond", () => {
		assert.deepEqual(judged({ requests: 99, failed: 1, p99Ms: 100 }), [false, false, false]);
		assert.deepEqual(judged({ requests: 98, failed: 2, p99Ms: 101 }), [false, true, true]);
		assert.deepEqual(judged({ requests: 49, failed: 0, p99Ms: 1 }), [true, false, false]);
		assert.deepEqual(judged({ requests: 0, failed: 0, p99Ms: 0 }), [true, false, false]);
	});

	it("are set by options, of which none may be misspelt", () => {
		assert.deepEqual(numberOptions(["--seconds=2.5"], { seconds: 5, "p99-ms": 1 }), {
			seconds: 2.5,
			"p99-ms": 1,
		});
		assert.throws(
			() => numberOptions(["--second=2"], { seconds: 5 }),
			/^Error: found --second=2; allowed: --seconds=<number>$/,
		);
	});
});
