import assert from "node:assert/strict";
import { approvalFault } from "../../components/guards/approved-migrations";
import { mayDestroy } from "../../components/guards/destroy-guard";
import { provider as destroyGuard } from "../../components/guards/destroy-guard-provider";
import { promotionOf } from "../../components/guards/faults";
import { programVersionFault } from "../../components/guards/program-version";
import { completedWith, type Promotion, promotionFault } from "../../components/guards/promotion";
import { judgeImage } from "../../components/guards/release-image";
import { workTreeFault } from "../../components/guards/work-tree";
import { parseSettings } from "../../components/settings/settings";

describe("a release that another stack has to complete first", () => {
	const promotion: Promotion = {
		release: "1.4.0",
		present: "1.3.0",
		own: ["1.2.0", "1.3.0"],
		from: { stack: "staging", completed: ["1.3.0", "1.4.0"] },
	};

	it("is let through once it has", () => {
		assert.equal(promotionFault(promotion), undefined);
	});

	it("is refused before, with what that stack has", () => {
		assert.equal(
			promotionFault({ ...promotion, release: "1.5.0" }),
			"release 1.5.0 has not gone through stack staging, which has completed 1.3.0, 1.4.0: deploy it there first, " +
				"or set releaseWithoutStaging to 1.5.0, which is written down with the deployment",
		);
		assert.match(
			promotionFault({ ...promotion, from: { stack: "staging", completed: undefined } }) ?? "",
			/^release 1\.4\.0 has not gone through stack staging, which was never deployed: /,
		);
	});

	it("is let through without it by name only", () => {
		const next = { ...promotion, release: "1.5.0" };
		assert.equal(promotionFault({ ...next, releaseWithoutStaging: "1.5.0" }), undefined);
		assert.match(
			promotionFault({ ...next, releaseWithoutStaging: "1.4.9" }) ?? "",
			/set releaseWithoutStaging to 1\.5\.0 \(now it names 1\.4\.9, which is another release\)/,
		);
	});

	it("is let through when the stack has it, or has had it: going back asks nobody", () => {
		const nothing = { stack: "staging", completed: [] };
		for (const release of ["1.2.0", "1.3.0"]) {
			assert.equal(promotionFault({ ...promotion, release, from: nothing }), undefined);
		}
		assert.equal(promotionFault({ ...promotion, own: [], release: "1.3.0", from: nothing }), undefined);
	});

	it("goes to production without any stack before it only with a warning", async () => {
		const values = {
			...{ environment: "production", release: "1.5.0", strategy: "in-place", platform: "local" },
			...{ promoteFrom: "none", sslMode: "disable" },
		};
		const settings = parseSettings({
			project: "app",
			values: Object.fromEntries(Object.entries(values).map(([key, value]) => [`app:${key}`, value])),
			secretKeys: [],
		});
		const asked = {
			completedBy: () => Promise.reject(new Error("nobody is asked")),
		};
		assert.deepEqual(await promotionOf({ settings, migrations: [] }, asked), {
			exception: "release 1.5.0 goes to production without any stack before it: promoteFrom is none",
		});
		const staging = { ...settings, environment: "staging" as const };
		assert.deepEqual(await promotionOf({ settings: staging, migrations: [] }, asked), {});
	});

	it("is remembered by the stack that completed it, the newest last, the oldest forgotten", () => {
		assert.deepEqual(completedWith([], "1.0.0"), ["1.0.0"]);
		assert.deepEqual(completedWith(["1.0.0", "1.1.0"], "1.0.0"), ["1.1.0", "1.0.0"]);
		const many = Array.from({ length: 60 }, (_, minor) => `1.${minor}.0`);
		const remembered = many.reduce<string[]>(completedWith, []);
		assert.deepEqual([remembered.length, remembered[0], remembered.at(-1)], [50, "1.10.0", "1.59.0"]);
	});
});

describe("an update of a production stack", () => {
	it("is refused from a work tree that is not as committed; stack files may differ", () => {
		const commit = "0123456789abcdef";
		assert.equal(workTreeFault({ commit, changed: [] }), undefined);
		assert.equal(
			workTreeFault({ commit, changed: ["Pulumi.production.yaml", "deploy/Pulumi.eu.yaml"] }),
			undefined,
		);
		assert.equal(
			workTreeFault({ commit, changed: ["Pulumi.yaml", "migrations/1.5.0_add_zones.sql"] }),
			"files differ from commit 0123456789ab: Pulumi.yaml, migrations/1.5.0_add_zones.sql; commit them, or put them back",
		);
		assert.match(
			workTreeFault({ commit, changed: Array.from({ length: 8 }, (_, n) => `file-${n}`) }) ?? "",
			/file-4 and 3 more;/,
		);
	});

	it("is refused where nothing tells the commit; a CI system may", () => {
		assert.match(workTreeFault({}) ?? "", /^nothing tells which commit this is: .*GITHUB_SHA/);
		assert.equal(workTreeFault({ commit: "0123456789abcdef" }), undefined);
	});

	it("is refused while a migration that cannot be undone is not approved by name", () => {
		const migrations = [
			{ version: "1.4.0", name: "add_zones" },
			{ version: "1.5.0", name: "drop_legacy", irreversible: "the rows are gone" },
			{ version: "1.6.0", name: "merge_counts", irreversible: "totals cannot be split" },
		];
		assert.equal(
			approvalFault(migrations, [], ["1.5.0"]),
			"migrations that cannot be undone have to be approved by name: 1.6.0 merge_counts (totals cannot be split); " +
				'set approvedMigrations to "1.5.0, 1.6.0"',
		);
		assert.equal(approvalFault(migrations, [], ["1.5.0", "1.6.0"]), undefined);
		assert.equal(approvalFault(migrations, ["1.5.0", "1.6.0"], []), undefined);
	});
});

describe("the image of a release", () => {
	const held = { "1.3.0": "api@sha256:aa", "1.2.0": "api@sha256:99" };
	const image = { release: "1.3.0", image: "api@sha256:aa", present: "1.3.0", held, strict: true };

	for (const [what, release, own] of [
		["live", "1.3.0", "api@sha256:aa"],
		["there to go back to", "1.2.0", "api@sha256:99"],
	] as const) {
		it(`is the one that it is here with, in production, when it is ${what}`, () => {
			const other = { ...image, release, image: "api@sha256:bb" };
			assert.deepEqual(judgeImage({ ...other, image: own }), {});
			assert.deepEqual(judgeImage({ ...other, strict: false }), {});
			assert.deepEqual(judgeImage(other), {
				fault:
					`release ${release} is here with image ${own}, and would get api@sha256:bb: an image that is not tested is ` +
					"another release; set serviceImage back to the first, give the second a newer version, or set " +
					`releaseWithoutStaging to ${release}, which is written down with the deployment`,
			});
			assert.deepEqual(judgeImage({ ...other, releaseWithoutStaging: release }), {
				exception: `release ${release} is here with image ${own}, and would get api@sha256:bb, which no stage has tested: releaseWithoutStaging says so`,
			});
		});
	}

	it("is told of when it is that of the live one, also of a release that was here before", () => {
		assert.deepEqual(judgeImage({ ...image, release: "1.1.0" }), {
			exception:
				"release 1.1.0 runs the image of 1.3.0, api@sha256:aa: set serviceImage if that is not meant",
		});
		for (const fine of [
			{ release: "1.4.0", image: "api@sha256:bb" },
			{ release: "1.4.0", image: undefined },
			{ release: "1.3.0", present: undefined, held: {} },
		]) {
			assert.deepEqual(judgeImage({ ...image, ...fine }), {});
		}
	});
});

describe("an update by another version of the program", () => {
	it("is refused when that is older than the one before", () => {
		assert.match(
			programVersionFault("0.9.1", "0.10.0") ?? "",
			/^the stack was last deployed by version 0\.10\.0 of this program, and this is the older 0\.9\.1: /,
		);
		for (const last of [undefined, "0.9.1", "0.9.0"]) {
			assert.equal(programVersionFault("0.9.1", last), undefined);
		}
	});
});

describe("the destruction of a production stack", () => {
	it("needs two settings, of which one names the stack", () => {
		const allowed = (protectDatabases: boolean, allowDestroy?: string) =>
			mayDestroy("production", { protectDatabases, ...(allowDestroy && { allowDestroy }) });
		assert.deepEqual(
			[allowed(true), allowed(false), allowed(true, "production"), allowed(false, "staging")],
			[false, false, false, false],
		);
		assert.equal(allowed(false, "production"), true);
	});

	it("ends with its first resource unless it was allowed", async () => {
		await assert.rejects(
			destroyGuard.delete("production", { stack: "production", allowed: false }),
			/^Error: stack production is protected, nothing was destroyed: set protectDatabases to false and allowDestroy to production, run an update, then destroy$/,
		);
		await destroyGuard.delete("production", { stack: "production", allowed: true });
	});
});
