import assert from "node:assert/strict";
import { programVersion } from "../../components/guards/program-version";
import { reportedGuards } from "../../components/report/reported-guards";
import { parseSettings } from "../../components/settings/settings";

const STAGING_UNKNOWN = "the state of stack staging cannot be read from here";
const OWN_UNKNOWN = "the state of stack production cannot be read from here";
const NOT_APPROVED =
	'migrations that cannot be undone have to be approved by name: 1.5.0 drop_legacy (the rows are gone); set approvedMigrations to "1.5.0"';

const IRREVERSIBLE = [{ version: "1.5.0", name: "drop_legacy", irreversible: "the rows are gone" }];
type Migrations = Parameters<typeof reportedGuards>[0]["migrations"];

function guarded(environment: "production" | "staging", migrations: object[] = []) {
	const values = {
		"camera-counting:environment": environment,
		"camera-counting:platform": "local",
		"camera-counting:sslMode": "disable",
		"camera-counting:strategy": "blue-green",
		"camera-counting:release": "1.5.0",
		"camera-counting:promoteFrom": "staging",
	};
	const settings = parseSettings({ project: "camera-counting", values, secretKeys: [] });
	return { settings, migrations: migrations as unknown as Migrations };
}

const LAST = { known: { release: "1.4.0", completed: ["1.4.0"], migrations: ["1.4.0"] } };
const unreadable = {
	completedBy: async (): Promise<never> => {
		throw new Error(STAGING_UNKNOWN);
	},
};
const completed = (...releases: string[]) => ({ completedBy: async () => releases });

describe("the guards in a report", () => {
	it("find what they can by themselves when another stack cannot be read, and refuse in production what they cannot", async () => {
		assert.deepEqual(await reportedGuards(guarded("production", IRREVERSIBLE), LAST, unreadable), {
			faults: [
				NOT_APPROVED,
				`whether release 1.5.0 has gone through stack staging is not known: ${STAGING_UNKNOWN}`,
			],
			exceptions: [],
			unknown: [{ what: "promotion", why: STAGING_UNKNOWN }],
		});
	});

	it("refuse an older program although another stack cannot be read", async () => {
		const last = { known: { ...LAST.known, programVersion: "999.0.0" } };
		const { faults } = await reportedGuards(guarded("staging"), last, unreadable);
		assert.deepEqual(faults, [
			`the stack was last deployed by version 999.0.0 of this program, and this is the older ${programVersion()}: check out a newer commit`,
		]);
	});

	it("only say outside production that a promotion is not known", async () => {
		assert.deepEqual(await reportedGuards(guarded("staging", IRREVERSIBLE), LAST, unreadable), {
			faults: [],
			exceptions: [],
			unknown: [{ what: "promotion", why: STAGING_UNKNOWN }],
		});
	});

	it("do not know what the stack's own state would tell, where it cannot be read", async () => {
		const last = { unknown: OWN_UNKNOWN };
		const known = await reportedGuards(guarded("production"), last, completed("1.5.0"));
		assert.deepEqual(known, {
			faults: [],
			exceptions: [],
			unknown: [{ what: "program version", why: OWN_UNKNOWN }],
		});
		const { faults } = await reportedGuards(guarded("production", IRREVERSIBLE), last, completed("1.4.0"));
		assert.deepEqual(
			faults.map((fault) => fault.split(": ").slice(0, 2).join(": ")),
			[
				`whether its migrations need an approval is not known: ${OWN_UNKNOWN}; migrations that cannot be undone have to be approved by name`,
				`whether release 1.5.0 has gone through stack staging is not known: ${OWN_UNKNOWN}; release 1.5.0 has not gone through stack staging, which has completed 1.4.0`,
			],
		);
	});

	it("let a release through that the other stack has completed", async () => {
		assert.deepEqual(await reportedGuards(guarded("production"), LAST, completed("1.5.0")), {
			faults: [],
			exceptions: [],
			unknown: [],
		});
	});
});
