import assert from "node:assert/strict";
import { shortName, stackPrefix } from "../../../components/platform/aws/names";

describe("the names of a stack on AWS", () => {
	it("are the stack's own where they fit", () => {
		assert.equal(stackPrefix("production"), "counting-production");
		assert.equal(stackPrefix("Production_EU.1"), "counting-production-eu-1");
		assert.equal(shortName("counting-production", 32), "counting-production");
	});

	it("have no hyphen at their end and no two in a row, wherever they are cut", () => {
		assert.equal(stackPrefix("production-"), "counting-production");
		for (let length = 1; length < 60; length++) {
			const prefix = stackPrefix("production-for-the-customers-in-the-west".repeat(2).slice(0, length));
			assert.match(`${prefix}-blue`, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
			assert.ok(prefix.length <= 40, prefix);
			assert.match(shortName(prefix, 27), /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
			assert.ok(shortName(prefix, 27).length <= 27);
		}
	});

	it("are told apart where they are cut", () => {
		const [one, two] = ["one", "two"].map((name) =>
			shortName(stackPrefix(`production-of-customer-${name}`), 32),
		);
		assert.match(one ?? "", /^counting-production-of-cu-[0-9a-f]{6}$/);
		assert.notEqual(one, two);
	});
});
