import assert from "node:assert/strict";
import { type BlueGreenPlan, planBlueGreen } from "../../components/release/blue-green";
import {
	type DesiredRelease,
	type LastOutputs,
	lastOutputsSchema,
} from "../../components/release/color-record";
import { ReleasePlanError } from "../../components/release/release-plan-error";
import { after, desired, files, record } from "./support";

const three = files("1.0.0", "1.1.0", "1.3.0");
const two = files("1.0.0", "1.1.0");

const first = after(undefined, planBlueGreen(undefined, desired("1.1.0", two)));
/** Green is live with 1.3.0, blue holds 1.1.0. */
const second = after(first, planBlueGreen(first, desired("1.3.0", three)));

function problems(last: LastOutputs, wanted: DesiredRelease): { problems: string[]; reachable: string[] } {
	try {
		planBlueGreen(last, wanted);
	} catch (error) {
		assert.ok(error instanceof ReleasePlanError);
		return { problems: [...error.problems], reachable: [...error.reachable] };
	}
	return assert.fail("the release was accepted");
}

/** A plan in short: its colours by name and release. */
function short({ kind, live, colors, replaced, nextGeneration }: BlueGreenPlan) {
	return {
		kind,
		live,
		colors: colors.map(({ color, generation, release }) => `${color}-${generation} ${release}`),
		replaced: replaced && `${replaced.color}-${replaced.generation} ${replaced.release}`,
		nextGeneration,
	};
}

describe("the plan of a blue-green release", () => {
	it("builds blue when there is nothing", () => {
		const wanted = desired("1.1.0", two);
		assert.deepEqual(planBlueGreen(undefined, wanted), {
			kind: "first",
			live: "blue",
			colors: [
				{
					color: "blue",
					generation: 1,
					release: "1.1.0",
					requiredSchema: "1.1.0",
					migrations: two,
					service: wanted.service,
				},
			],
			nextGeneration: 2,
			summary: [
				"builds blue-1 with release 1.1.0 and gives it the traffic",
				"applies there: 1.0.0 m1_0_0, 1.1.0 m1_1_0",
			],
		} satisfies BlueGreenPlan);
	});

	it("builds a newer release on the other colour, as a copy of the live one", () => {
		const wanted = desired("1.3.0", three, { poolSize: 7 });
		assert.deepEqual(planBlueGreen(first, wanted), {
			kind: "build",
			live: "green",
			colors: [
				{
					color: "blue",
					generation: 1,
					release: "1.1.0",
					requiredSchema: "1.1.0",
					migrations: two,
					service: desired("1.1.0", two).service,
				},
				{
					color: "green",
					generation: 2,
					release: "1.3.0",
					requiredSchema: "1.3.0",
					migrations: three,
					service: wanted.service,
					copiedFrom: 1,
				},
			],
			nextGeneration: 3,
			summary: [
				"builds green-2 with release 1.3.0 from a copy of blue-1, which keeps the traffic on release 1.1.0 meanwhile",
				"applies there: 1.3.0 m1_3_0",
				"then moves the traffic to green-2; blue-1 keeps release 1.1.0, in step, to go back to",
			],
		} satisfies BlueGreenPlan);
	});

	it("drops the colour before the previous one only at the end", () => {
		const plan = planBlueGreen(second, desired("1.4.0", files("1.0.0", "1.1.0", "1.3.0", "1.4.0")));
		assert.deepEqual(short(plan), {
			kind: "build",
			live: "blue",
			colors: ["blue-3 1.4.0", "green-2 1.3.0"],
			replaced: "blue-1 1.1.0",
			nextGeneration: 4,
		});
		assert.equal(plan.colors[0]?.copiedFrom, 2);
		assert.equal(plan.summary.at(-1), "drops blue-1 with release 1.1.0 at the end");
	});

	it("builds a release that brings no migration", () => {
		const plan = planBlueGreen(first, desired("1.2.0", two));
		assert.deepEqual(short(plan).colors, ["blue-1 1.1.0", "green-2 1.2.0"]);
		assert.ok(!plan.summary.some((line) => line.startsWith("applies")));
	});

	it("compares versions as numbers", () => {
		const nine = after(undefined, planBlueGreen(undefined, desired("1.9.0", two)));
		assert.equal(planBlueGreen(nine, desired("1.10.0", two)).kind, "build");
		assert.deepEqual(problems(nine, desired("1.10.0", files("1.0.0"))).problems.length, 1);
	});

	it("leaves all as it is when the release is live", () => {
		const plan = planBlueGreen(second, desired("1.3.0", three));
		assert.deepEqual(short(plan), {
			kind: "same",
			live: "green",
			colors: ["blue-1 1.1.0", "green-2 1.3.0"],
			replaced: undefined,
			nextGeneration: 3,
		});
		assert.deepEqual(plan.summary, [
			"release 1.3.0 stays live on green-2",
			"blue-1 keeps release 1.1.0, in step, to go back to",
		]);
	});

	it("gives changed settings to the live colour only", () => {
		const plan = planBlueGreen(second, desired("1.3.0", three, { poolSize: 7, logLevel: "debug" }));
		assert.equal(plan.kind, "same");
		assert.deepEqual(
			plan.colors.map(({ service }) => [service.poolSize, service.logLevel]),
			[
				[5, "info"],
				[7, "debug"],
			],
		);
		const line =
			"the service of green-2 starts anew with other settings: poolSize 5 → 7, logLevel info → debug";
		assert.equal(plan.summary[1], line);
		assert.equal(plan.restart, line);
		assert.equal(planBlueGreen(second, desired("1.3.0", three)).restart, undefined);
	});

	it("goes back to what the idle colour holds and rebuilds nothing", () => {
		const plan = planBlueGreen(second, desired("1.1.0", two, {}, []));
		assert.deepEqual(plan, {
			...planBlueGreen(second, desired("1.3.0", three)),
			kind: "back",
			live: "blue",
			summary: [
				"moves the traffic back to blue-1, which holds release 1.1.0 and all that was written since; nothing is rebuilt",
				"green-2 keeps release 1.3.0, in step, to go back to",
			],
		});
	});

	it("goes forward again to what it went back from", () => {
		const returned = after(second, planBlueGreen(second, desired("1.1.0", two)));
		assert.deepEqual(short(planBlueGreen(returned, desired("1.3.0", three))), {
			kind: "back",
			live: "green",
			colors: ["blue-1 1.1.0", "green-2 1.3.0"],
			replaced: undefined,
			nextGeneration: 3,
		});
	});

	it("touches no service when it goes back, and tells what the next update would change", () => {
		const plan = planBlueGreen(second, desired("1.1.0", two, { debugMode: true }));
		assert.deepEqual(
			plan.colors.map(({ service }) => service.debugMode),
			[false, false],
		);
		assert.equal(
			plan.summary[1],
			"the service of blue-1 keeps the settings that it was deployed with; the update after this one changes them: " +
				"debugMode false → true",
		);
	});

	it("tells of no restart for settings that a record of an older version does not have", () => {
		const sized = { tasks: 2, cpu: 512, memory: 1024, architecture: "X86_64" } as const;
		assert.equal(planBlueGreen(second, desired("1.3.0", three, sized)).restart, undefined);
		assert.deepEqual(
			planBlueGreen(second, desired("1.1.0", two, sized)).summary,
			planBlueGreen(second, desired("1.1.0", two)).summary,
		);
	});

	it("plans a failed build again with the same generation, also for another release", () => {
		const four = desired("1.4.0", files("1.0.0", "1.1.0", "1.3.0", "1.4.0"));
		assert.deepEqual(planBlueGreen(second, four), planBlueGreen(second, four));
		assert.deepEqual(short(planBlueGreen(second, desired("1.5.0", three))), {
			kind: "build",
			live: "blue",
			colors: ["blue-3 1.5.0", "green-2 1.3.0"],
			replaced: "blue-1 1.1.0",
			nextGeneration: 4,
		});
	});

	it("builds an older release that is on neither colour by undoing what it does not know", () => {
		const plan = planBlueGreen(second, desired("1.0.0", files("1.0.0"), {}, ["1.1.0", "1.3.0"]));
		assert.deepEqual(short(plan), {
			kind: "build",
			live: "blue",
			colors: ["blue-3 1.0.0", "green-2 1.3.0"],
			replaced: "blue-1 1.1.0",
			nextGeneration: 4,
		});
		assert.equal(plan.summary[1], "undoes there: 1.3.0 m1_3_0, 1.1.0 m1_1_0");
	});

	it("refuses an older release for which a migration without a down section had to be undone", () => {
		assert.deepEqual(problems(second, desired("1.0.0", files("1.0.0"), {}, ["1.3.0"])), {
			problems: [
				"migration 1.1.0 m1_1_0 came with release 1.3.0, which is live on green-2, and release 1.0.0 would need it " +
					"undone, but it has no down section; stay with a release that has it",
			],
			reachable: ["1.3.0 (live on green-2)", "1.1.0 (on blue-1)", "any newer than 1.3.0"],
		});
	});

	it("refuses a newer release without a migration that is live", () => {
		assert.deepEqual(problems(first, desired("1.2.0", files("1.0.0"))), {
			problems: [
				"migration 1.1.0 m1_1_0 belongs to release 1.1.0, which is live on blue-1, but its file is gone; put it " +
					"back: release 1.2.0 cannot be without it",
			],
			reachable: ["1.1.0 (live on blue-1)", "any newer than 1.1.0"],
		});
	});

	it("refuses changed and renamed files, whichever release is wanted", () => {
		const changed = {
			...files("1.0.0", "1.1.0"),
			"1.0.0": record("1.0.0", { checksum: "other" }),
			"1.1.0": record("1.1.0", { name: "z" }),
		};
		for (const wanted of [desired("1.0.5", changed), desired("1.1.0", changed), desired("1.2.0", changed)]) {
			assert.deepEqual(problems(first, wanted).problems, [
				"migration 1.0.0 m1_0_0: its file was changed since release 1.1.0 went live on blue-1; put it back as it " +
					"was and write the change as a new migration",
				"migration 1.1.0 m1_1_0: its file was renamed to z since release 1.1.0 went live on blue-1; give it its " +
					"name again",
			]);
		}
	});

	it("refuses other migrations under the number of the live release, all at once", () => {
		assert.deepEqual(problems(second, desired("1.3.0", files("1.0.0", "1.2.0", "1.3.0"))).problems, [
			"migration 1.1.0 m1_1_0 belongs to release 1.3.0, which is live on green-2, but its file is gone; put it " +
				"back: release 1.3.0 cannot be without it",
			"migration 1.2.0 m1_2_0 was added to release 1.3.0, which is live on green-2, and a deployed release does not " +
				"change; give the release a newer version",
		]);
	});

	it("tells that files were changed which keep it from going back", () => {
		const edited = { ...two, "1.1.0": record("1.1.0", { checksum: "edited" }) };
		const hint =
			"blue-1 holds release 1.1.0, but with other migration files: 1.1.0 m1_1_0 was changed; put the files back as " +
			"they were to go back to it without building it anew";
		assert.equal(problems(second, desired("1.1.0", edited)).problems.at(-1), hint);
		const more = files("1.0.0", "1.0.5", "1.1.0");
		const plan = planBlueGreen(second, desired("1.1.0", more, {}, ["1.3.0"]));
		assert.equal(plan.kind, "build");
		assert.match(plan.summary[0] ?? "", /^blue-1 holds .*: 1\.0\.5 m1_0_5 was added; put the files back/);
	});

	it("says that nothing was changed, with every problem and what can be reached", () => {
		assert.throws(
			() => planBlueGreen(first, desired("1.2.0", {})),
			/^ReleasePlanError: this update cannot be done; nothing was changed:\n {2}- migration 1\.0\.0 .*\n {2}- migration 1\.1\.0 .*\nreleases that can be reached: 1\.1\.0 \(live on blue-1\), any newer than 1\.1\.0$/,
		);
	});

	it("counts what would make a line too long", () => {
		const many = files(...Array.from({ length: 14 }, (_, index) => `1.${index}.0`));
		const line = planBlueGreen(undefined, desired("1.13.0", many)).summary[1];
		assert.match(line ?? "", /^applies there: 1\.0\.0 m1_0_0, .*1\.9\.0 m1_9_0 and 4 more$/);
	});
});

describe("what the last update of a blue-green stack left", () => {
	it("is read as it was written", () => {
		assert.deepEqual(lastOutputsSchema.parse(JSON.parse(JSON.stringify(second))), second);
	});

	const broken: [string, LastOutputs][] = [
		["a live colour of which nothing is known", { ...first, live: "green" }],
		["a generation that is still to come", { ...second, nextGeneration: 2 }],
		[
			"two colours of one generation",
			{ ...second, colors: { blue: second.colors.green, green: second.colors.green } },
		],
	];
	for (const [what, outputs] of broken) {
		it(`is refused with ${what}`, () => {
			assert.equal(lastOutputsSchema.safeParse(outputs).success, false);
		});
	}
});
