import assert from "node:assert/strict";
import fc from "fast-check";
import { type BlueGreenPlan, planBlueGreen } from "../../components/release/blue-green";
import {
	type DesiredRelease,
	type LastOutputs,
	lastOutputsSchema,
} from "../../components/release/color-record";
import { ReleasePlanError } from "../../components/release/release-plan-error";
import { after, desired, files, record } from "./support";

const VERSIONS = ["1.0.0", "1.1.0", "1.2.0", "1.9.0", "1.10.0", "2.0.0"];

/** A release wanted, with its files complete, edited, or without one; and whether the update finishes. */
const attempt = fc.record({
	release: fc.nat(VERSIONS.length - 1),
	files: fc.oneof(
		{ weight: 6, arbitrary: fc.constant({ kind: "complete" as const, at: 0 }) },
		{
			weight: 1,
			arbitrary: fc.record({
				kind: fc.constantFrom("edited" as const, "gone" as const),
				at: fc.nat(VERSIONS.length - 1),
			}),
		},
	),
	reversible: fc.subarray(VERSIONS),
	poolSize: fc.integer({ min: 1, max: 3 }),
	finishes: fc.boolean(),
});
type Attempt = typeof attempt extends fc.Arbitrary<infer T> ? T : never;

function wantedBy({ release, files: state, reversible, poolSize }: Attempt): DesiredRelease {
	const versions = VERSIONS.slice(0, release + 1);
	const touched = VERSIONS[state.at] ?? "";
	const migrations = files(...versions.filter((version) => state.kind !== "gone" || version !== touched));
	if (state.kind === "edited" && migrations[touched] !== undefined) {
		migrations[touched] = record(touched, { checksum: "edited" });
	}
	return desired(VERSIONS[release] ?? "", migrations, { poolSize }, reversible);
}

/** Undefined when the release is refused. */
function planned(last: LastOutputs | undefined, wanted: DesiredRelease): BlueGreenPlan | undefined {
	try {
		return planBlueGreen(last, wanted);
	} catch (error) {
		assert.ok(error instanceof ReleasePlanError);
		assert.ok(error.problems.length > 0 && error.reachable.length > 0);
		return undefined;
	}
}

/** Plays a history and looks at every plan on the way. */
function throughout(
	look: (
		plan: BlueGreenPlan,
		wanted: DesiredRelease,
		last: LastOutputs | undefined,
		next: LastOutputs,
	) => void,
): void {
	fc.assert(
		fc.property(fc.array(attempt, { minLength: 1, maxLength: 12 }), (history) => {
			let last: LastOutputs | undefined;
			for (const each of history) {
				const wanted = wantedBy(each);
				const plan = planned(last, wanted);
				if (plan === undefined) continue;
				const next = after(last, plan);
				look(plan, wanted, last, next);
				if (each.finishes) last = next;
			}
		}),
		{ numRuns: 300 },
	);
}

function name({ color, generation }: { color: string; generation: number }): string {
	return `${color}-${generation}`;
}

describe("whatever happened before, the plan of a blue-green release", () => {
	it("declares one or two colours, the live one among them, blue first", () => {
		throughout(({ colors, live }) => {
			const names = colors.map(({ color }) => color);
			assert.ok(
				[["blue"], ["blue", "green"]].some((valid) => String(valid) === String(names)),
				String(names),
			);
			assert.ok(names.includes(live));
		});
	});

	it("brings the release that is wanted, with its migrations, onto the live colour", () => {
		throughout(({ colors, live }, wanted) => {
			const color = colors.find((each) => each.color === live);
			assert.deepEqual([color?.release, color?.migrations], [wanted.release, wanted.migrations]);
		});
	});

	it("never drops the colour that has the traffic, nor the one that gets it", () => {
		throughout((plan, _wanted, last) => {
			if (plan.replaced === undefined) return;
			assert.ok(last !== undefined);
			assert.notEqual(plan.replaced.color, last.live);
			assert.ok(!plan.colors.map(name).includes(name(plan.replaced)));
			assert.equal(plan.replaced.generation, last.colors[plan.replaced.color]?.generation);
		});
	});

	it("accounts for every colour that there was: declared or dropped", () => {
		throughout(({ colors, replaced }, _wanted, last) => {
			const known = new Set([...colors, ...(replaced ? [replaced] : [])].map(name));
			for (const [color, held] of Object.entries(last?.colors ?? {})) {
				assert.ok(known.has(name({ color, generation: held.generation })));
			}
		});
	});

	it("copies a new colour from the live one, and never uses a generation again", () => {
		fc.assert(
			fc.property(fc.array(attempt, { maxLength: 20 }), (history) => {
				let last: LastOutputs | undefined;
				const built: number[] = [];
				for (const each of history) {
					const plan = planned(last, wantedBy(each));
					if (plan === undefined || !each.finishes) continue;
					if (plan.kind === "first" || plan.kind === "build") {
						const color = plan.colors.find(({ color }) => color === plan.live);
						assert.equal(color?.copiedFrom, last?.colors[last.live]?.generation);
						built.push(color?.generation ?? 0);
					}
					last = after(last, plan);
				}
				assert.deepEqual(
					built,
					built.map((_, index) => index + 1),
				);
			}),
		);
	});

	it("is the same when it is made twice", () => {
		throughout((plan, wanted, last) => assert.deepEqual(planBlueGreen(last, wanted), plan));
	});

	it("finds nothing more to do once it is done, but for settings after going back", () => {
		throughout((plan, wanted, _last, next) => {
			const again = planBlueGreen(next, wanted);
			assert.equal(again.kind, "same");
			assert.equal(again.live, plan.live);
			assert.equal(again.nextGeneration, plan.nextGeneration);
			const settings = plan.kind === "back" ? { service: wanted.service } : {};
			assert.deepEqual(
				again.colors,
				plan.colors.map((color) => (color.color === plan.live ? { ...color, ...settings } : color)),
			);
		});
	});

	it("leaves outputs that the next update can read", () => {
		throughout((_plan, _wanted, _last, next) => assert.deepEqual(lastOutputsSchema.parse(next), next));
	});

	it("changes nothing of the colour that is idle in the end", () => {
		throughout(({ colors, live }, _wanted, last) => {
			const idle = colors.find(({ color }) => color !== live);
			if (idle === undefined) return;
			const { database: _, switchedAt: __, ...before } = last?.colors[idle.color] ?? assert.fail();
			const { color: ___, ...rest } = idle;
			assert.deepEqual(rest, before);
		});
	});
});
