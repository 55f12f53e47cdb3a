import assert from "node:assert/strict";
import fc from "fast-check";
import {
	lastGoodRelease,
	namedRelease,
	type PastUpdate,
	updateOfBuild,
} from "../../components/release/last-good";

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

function attempt(release: string, result: string): PastUpdate {
	return { kind: "update", result, release, endTime: "2026-01-31T08:00:00.000Z" };
}

function found(...updates: string[]): string {
	const { from, release, goesOn } = lastGoodRelease(history(...updates));
	return `${from} → ${release}${goesOn ? " again" : ""}`;
}

describe("the release to go back to", () => {
	it("is the one that was live before the present one", () => {
		assert.deepEqual(lastGoodRelease(history("1.1.0", "1.2.0", "1.3.0")), {
			from: "1.3.0",
			release: "1.2.0",
			deployedAt: "2026-01-11T08:00:00.000Z",
			goesOn: false,
		});
	});

	it("comes with the image that it was deployed with, which is its code", () => {
		const [newest, older] = history("1.2.0", "1.3.0");
		const updates = [
			{ ...newest!, image: "api@sha256:bb" },
			{ ...older!, image: "api@sha256:aa" },
		];
		assert.equal(lastGoodRelease(updates).image, "api@sha256:aa");
		assert.equal(namedRelease(updates, "1.2.0").image, "api@sha256:aa");
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

	it("is never the one that was just taken away", () => {
		assert.equal(found("1.1.0", "1.2.0", "1.3.0", "1.2.0"), "1.2.0 → 1.1.0");
		assert.throws(
			() => found("1.2.0", "1.3.0", "1.2.0"),
			/^Error: there is nothing to go back to: no update has succeeded with a release older than 1\.2\.0; 1\.3\.0 was gone back from: to have it all the same, name it \(--release 1\.3\.0\)$/,
		);
		assert.throws(
			() => found("1.2.0", "1.3.0", "1.2.0", "1.2.0 failed"),
			/a release older than 1\.2\.0; 1\.3\.0/,
		);
		assert.equal(found("1.2.0", "1.3.0", "1.2.0", "1.4.0"), "1.4.0 → 1.2.0");
	});

	it("is the same again while going back has not come to its end", () => {
		assert.equal(found("1.1.0", "1.2.0", "1.1.0 failed"), "1.2.0 → 1.1.0 again");
		assert.equal(
			found("1.0.0", "1.1.0", "1.2.0", "1.1.0 failed", "1.1.0 in-progress"),
			"1.2.0 → 1.1.0 again",
		);
		assert.equal(found("1.1.0", "1.2.0", "1.3.0 failed", "1.2.0 failed"), "1.3.0 → 1.2.0 again");
	});

	it("is what is live after an older one failed that has never succeeded", () => {
		assert.equal(found("1.0.0", "1.2.0", "1.1.0 failed"), "1.1.0 → 1.2.0");
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
			/^Error: there is nothing to go back to: no update has succeeded with a release older than 1\.3\.0; release the older code under a newer version instead$/;
		assert.throws(() => found("1.3.0", "1.3.0"), only);
		assert.throws(() => found("1.2.0 failed", "1.3.0"), only);
		assert.throws(() => found("1.2.0 failed"), /: no update has succeeded yet; mend what the last one names/);
	});

	it("is not one that was destroyed since", () => {
		assert.throws(() => found("1.2.0", "1.3.0", "destroy"), /: what was deployed has been destroyed$/);
		assert.throws(
			() => found("1.2.0", "destroy", "1.3.0"),
			/no update has succeeded with a release older than 1\.3\.0/,
		);
		assert.equal(found("1.1.0", "destroy", "1.2.0", "1.3.0"), "1.3.0 → 1.2.0");
	});

	it("can be named, if the stack has had it since it was destroyed last", () => {
		const past = history("1.1.0", "destroy", "1.2.0", "1.3.0", "1.4.0 failed", "1.2.0");
		assert.deepEqual(namedRelease(past, "1.3.0"), {
			from: "1.2.0",
			release: "1.3.0",
			deployedAt: "2026-01-13T08:00:00.000Z",
			goesOn: false,
		});
		for (const release of ["1.1.0", "1.4.0", "one"]) {
			assert.throws(
				() => namedRelease(past, release),
				new RegExp(
					`^Error: release ${release} has not been live here, .*: name one of 1\\.2\\.0, 1\\.3\\.0, or release`,
				),
			);
		}
	});

	it("has been deployed already by a build that runs again, whatever came after", () => {
		const past = history("1.2.0", "1.3.0", "1.2.0", "1.4.0");
		past[1] = { ...past[1]!, build: "77" };
		past[0] = { ...past[0]!, build: "78", result: "failed" };
		assert.equal(updateOfBuild(past, "77")?.release, "1.2.0");
		assert.equal(updateOfBuild(past, "78"), undefined);
		const released = history("1.2.0", "1.3.0");
		released[0] = { ...released[0]!, build: "79" };
		assert.equal(updateOfBuild(released, "79"), undefined);
	});

	it("has succeeded and is not newer than what is live, whatever the history", () => {
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
				const succeeded = updates.filter(({ kind, result }) => kind === "update" && result === "succeeded");
				assert.ok(succeeded.some(({ release }) => release === good));
				assert.ok(good <= (succeeded[0]?.release ?? ""));
			}),
		);
	});

	it("is no other one for a second attempt, however the first one ended", () => {
		const update = fc.record({
			kind: fc.constant("update"),
			result: fc.constantFrom("succeeded", "failed"),
			release: fc.constantFrom("1.1.0", "1.2.0", "1.3.0", "1.4.0"),
			endTime: fc.constant("2026-01-31T08:00:00.000Z"),
		});
		fc.assert(
			fc.property(fc.array(update), fc.constantFrom("succeeded", "failed"), (updates, result) => {
				let first: string;
				let second: string;
				try {
					first = lastGoodRelease(updates).release;
					second = lastGoodRelease([attempt(first, result), ...updates]).release;
				} catch {
					return;
				}
				assert.ok(result === "failed" ? second === first : second < first);
			}),
		);
	});
});
