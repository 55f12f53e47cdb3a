import assert from "node:assert/strict";
import { type ListedStage, plannedStages } from "../../components/pipeline/stage-list";

const declared = (name: string, when: ListedStage["when"]): ListedStage => ({
	name,
	type: "test",
	command: ["true"],
	timeoutSeconds: 5,
	when,
});

const shown = (strategy: "in-place" | "blue-green", stages: ListedStage[]) =>
	plannedStages(strategy, stages).map(({ name, type }) => `${name} (${type})`);

describe("the stages of a deployment", () => {
	it("are the same without declared ones, with a place for both kinds of tests", () => {
		assert.deepEqual(shown("in-place", []), [
			"Build Database Schema (build)",
			"Run Unit Tests (test)",
			"Deploy to Environment (deploy)",
			"Health Checks (validate)",
			"Integration Tests (test)",
		]);
	});

	it("end with the switch of the traffic where there are two colours", () => {
		assert.equal(shown("blue-green", []).at(-1), "Switch Traffic (deploy)");
	});

	it("take in declared ones where they run, in the order of their declaration", () => {
		const stages = [
			declared("Integration Tests", "after-health"),
			declared("Run Unit Tests", "after-migrations"),
			declared("Load Test", "after-health"),
			declared("Schema Review", "after-migrations"),
		];
		assert.deepEqual(
			plannedStages("blue-green", stages).map(({ name }) => name),
			[
				"Build Database Schema",
				"Run Unit Tests",
				"Schema Review",
				"Deploy to Environment",
				"Health Checks",
				"Integration Tests",
				"Load Test",
				"Switch Traffic",
			],
		);
	});

	it("know with which command and deadline a declared one runs", () => {
		const [, tests] = plannedStages("in-place", [declared("Run Unit Tests", "after-migrations")]);
		assert.deepEqual(tests?.config, { command: ["true"], timeoutSeconds: 5 });
	});
});
