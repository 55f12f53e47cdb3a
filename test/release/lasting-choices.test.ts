import assert from "node:assert/strict";
import { deployedChoices, refuseOtherChoices } from "../../components/release/lasting-choices";

describe("strategy and platform of a deployed stack", () => {
	it("are known by what the last update left", () => {
		assert.equal(deployedChoices({}), undefined);
		assert.deepEqual(deployedChoices({ release: "1.3.0", platform: "aws", live: "blue" }), {
			strategy: "blue-green",
			platform: "aws",
		});
		assert.deepEqual(deployedChoices({ release: "1.3.0" }), { strategy: "in-place", platform: "local" });
	});

	it("cannot be changed", () => {
		const deployed = { strategy: "in-place", platform: "local" } as const;
		refuseOtherChoices(undefined, { strategy: "blue-green", platform: "docker" });
		refuseOtherChoices(deployed, deployed);
		assert.throws(() => refuseOtherChoices(deployed, { strategy: "blue-green", platform: "docker" }), {
			name: "ReleasePlanError",
			message:
				"this update cannot be done; nothing was changed:\n  - strategy: found blue-green, but this stack is deployed " +
				"with in-place, and the strategy of a deployed stack cannot be changed; set it back to in-place, or deploy a new " +
				"stack with blue-green\n  - platform: found docker, but this stack is deployed with local, and the platform of " +
				"a deployed stack cannot be changed; set it back to local, or deploy a new stack with docker",
		});
	});
});
