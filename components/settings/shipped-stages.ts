import type { ListedStage } from "../pipeline/stage-list";

/** The stages that come with the project, by what they test. */
const SHIPPED = {
	database: stage("Run Unit Tests", "database-tests", 120, "after-migrations"),
	integration: stage("Integration Tests", "api-integration", 120),
	cache: stage("Cache Tests", "cache", 60),
	queue: stage("Queue Tests", "queue", 60),
	load: stage("Load Test", "load", 120),
	security: stage("Security Scan", "security", 180),
	compliance: stage("Compliance Check", "compliance", 60, "after-health", "validate"),
};

/** Stages as an environment has them when its stack file says nothing of them. */
export function shippedStages(...names: (keyof typeof SHIPPED)[]): ListedStage[] {
	return names.map((name) => SHIPPED[name]);
}

function stage(
	name: string,
	program: string,
	timeoutSeconds: number,
	when: ListedStage["when"] = "after-health",
	type: ListedStage["type"] = "test",
): ListedStage {
	return {
		name,
		type,
		command: ["node", "--require", "tsx/cjs", `stages/${program}.ts`],
		timeoutSeconds,
		when,
	};
}
