import assert from "node:assert/strict";
import { stackEnvironment } from "../../scripts/stack-environment";

describe("the environment of an engine", () => {
	const PULUMI_BACKEND_URL = "file:///tmp/state";

	it("has no empty passphrase, with which anybody could read a stack's secrets", () => {
		const given = { PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE: "", PULUMI_CONFIG_PASSPHRASE_FILE: "" };
		assert.deepEqual(stackEnvironment(["-s", "production"], given), { PULUMI_BACKEND_URL });
		const file = { ...given, PULUMI_CONFIG_PASSPHRASE_FILE: "/etc/passphrase" };
		assert.deepEqual(stackEnvironment(["-s", "local"], file), {
			PULUMI_BACKEND_URL,
			PULUMI_CONFIG_PASSPHRASE_FILE: "/etc/passphrase",
		});
	});

	it("has the passphrase that the operator has set", () => {
		const given = { PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE: "of the team" };
		assert.deepEqual(stackEnvironment(["-s", "local"], given), given);
	});
});
