import assert from "node:assert/strict";
import fc from "fast-check";
import { lastGoodRelease, type PastUpdate } from "../../components/release/last-good";

/** A history, oldest first, as `release`, `release failed` or another kind of update. */
function history(...updates: string[]): PastUpdate[] {
	return updates
		.map((text, index) => {
			const [what = "", result = "succeeded"] = text.split(" ");
			const isUpdate = /^\d/.test(what);
			return {
				kind: isUpdate ? "update" : what,
				result,
				release: isUpdate ? what : "1.0.0",
				endTime: `2026-01-${index + 10}T08:00:00.000Z`,
			};
		})
		.reverse();
}

function found(...updates: string[]): string {
	const { present, release } = lastGoodRelease(history(...updates));
	return `${present} → ${release}`;
}

describe("the release to go back to", () => {
	it("is the one that was live before the present one", () => {
		assert.deepEqual(lastGoodRelease(history("1.1.0", "1.2.0", "1.3.0")), {
			present: "1.3.0",
			release: "1.2.0",
			deployedAt: "2026-01-11T08:00:00.000Z",
		});
	});

	it("is not the present one, however often that was updated", () => {
		assert.equal(found("1.2.0", "1.3.0", "1.3.0", "1.3.0 failed", "1.3.0"), "1.3.0 → 1.2.0");
	});

	it("is none of which every update failed", () => {
		assert.equal(found("1.1.0", "1.2.0 failed", "1.3.0"), "1.3.0 → 1.1.0");
	});

	it("is the one that is still live when the newest update failed", () => {
		assert.equal(found("1.2.0", "1.3.0 failed"), "1.3.0 → 1.2.0");
		assert.equal(found("1.1.0", "1.2.0", "1.3.0 failed", "1.3.0 failed"), "1.3.0 → 1.2.0");
		assert.equal(found("1.2.0", "1.3.0 in-progress"), "1.3.0 → 1.2.0");
	});

	it("is the newer one again after going back", () => {
		assert.equal(found("1.2.0", "1.3.0", "1.2.0"), "1.2.0 → 1.3.0");
	});

	it("is told from updates only", () => {
		assert.equal(found("1.2.0", "1.3.0", "refresh", "import", "destroy failed"), "1.3.0 → 1.2.0");
		const secret = history("1.2.0", "1.3.0", "1.4.0");
		delete secret[0]?.release;
		assert.equal(lastGoodRelease(secret).release, "1.2.0");
	});

	it("is not told where there is none", () => {
		const never = /^Error: there is nothing to go back to: no update has been made yet$/;
		assert.throws(() => lastGoodRelease([]), never);
		assert.throws(() => found("refresh"), never);
		const only =
			/^Error: there is nothing to go back to: no update has succeeded with another release than 1\.3\.0$/;
		assert.throws(() => found("1.3.0", "1.3.0"), only);
		assert.throws(() => found("1.2.0 failed", "1.3.0"), only);
	});

	it("is not one that was destroyed since", () => {
		assert.throws(() => found("1.2.0", "1.3.0", "destroy"), /: what was deployed has been destroyed$/);
		assert.throws(() => found("1.2.0", "destroy", "1.3.0"), /no update has succeeded with another release/);
		assert.equal(found("1.1.0", "destroy", "1.2.0", "1.3.0"), "1.3.0 → 1.2.0");
	});

	it("has succeeded and is another one, whatever the history", () => {
		const update = fc.record({
			kind: fc.constantFrom("update", "refresh", "destroy"),
			result: fc.constantFrom("succeeded", "failed"),
			release: fc.constantFrom("1.1.0", "1.2.0", "1.3.0"),
			endTime: fc.constant("2026-01-31T08:00:00.000Z"),
		});
		fc.assert(
			fc.property(fc.array(update), (updates) => {
				let good: string;
				try {
					good = lastGoodRelease(updates).release;
				} catch {
					return;
				}
				assert.notEqual(good, updates.find(({ kind }) => kind === "update")?.release);
				assert.ok(
					updates.some(
						({ kind, result, release }) => kind === "update" && result === "succeeded" && release === good,
					),
				);
			}),
		);
	});
});
