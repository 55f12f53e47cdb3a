import assert from "node:assert/strict";
import { deployedChoices, refuseOtherChoices } from "../../components/release/lasting-choices";

describe("strategy, platform and environment of a deployed stack", () => {
	it("are known by what the last update left", () => {
		assert.equal(deployedChoices({}), undefined);
		assert.deepEqual(
			deployedChoices({ release: "1.3.0", platform: "aws", environment: "production", live: "blue" }),
			{ strategy: "blue-green", platform: "aws", environment: "production" },
		);
		assert.deepEqual(deployedChoices({ release: "1.3.0" }), {
			...{ strategy: "in-place", platform: "local", environment: undefined },
		});
	});

	it("cannot be changed", () => {
		const deployed = { strategy: "in-place", platform: "local", environment: "production" } as const;
		const other = { strategy: "blue-green", platform: "docker", environment: "development" } as const;
		refuseOtherChoices(undefined, other);
		refuseOtherChoices(deployed, deployed);
		refuseOtherChoices({ ...deployed, environment: undefined }, { ...deployed, environment: "staging" });
		assert.throws(() => refuseOtherChoices(deployed, other), {
			name: "ReleasePlanError",
			message:
				"this update cannot be done; nothing was changed:\n  - strategy: found blue-green, but this stack is deployed " +
				"with in-place, and the strategy of a deployed stack cannot be changed; set it back to in-place, or deploy a new " +
				"stack with blue-green\n  - platform: found docker, but this stack is deployed with local, and the platform of " +
				"a deployed stack cannot be changed; set it back to local, or deploy a new stack with docker\n  - environment: found " +
				"development, but this stack is deployed with production, and the environment of a deployed stack cannot be " +
				"changed; set it back to production, or deploy a new stack with development",
		});
	});
});
