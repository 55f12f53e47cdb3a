import { type NewStage, ROLLBACK_STAGE, type StageType } from "../catalog/stages";

/** Stages that every deployment goes through by itself. */
const OWN_STAGES = {
	"Build Database Schema": "build",
	"Deploy to Environment": "deploy",
	"Health Checks": "validate",
	"Switch Traffic": "deploy",
} as const satisfies Record<string, StageType>;

/** A stage that steps of the deployment itself belong to. */
export type OwnStage = keyof typeof OWN_STAGES;

/** Tests that every deployment has a place for, whether its environment declares them or not. */
const UNIT_TESTS = "Run Unit Tests";
const INTEGRATION_TESTS = "Integration Tests";

/** Names that a declared stage cannot have. */
export const reservedStageNames: readonly string[] = [...Object.keys(OWN_STAGES), ROLLBACK_STAGE];

/** When a declared stage runs: once the schema is there and before the service is, or once the service is healthy. */
export const STAGE_MOMENTS = ["after-migrations", "after-health"] as const;
export type StageMoment = (typeof STAGE_MOMENTS)[number];

/** What the order of stages depends on. */
export interface ListedStage {
	name: string;
	type: "test" | "validate";
	command: string[];
	timeoutSeconds: number;
	when: StageMoment;
}

/** The type of a stage by its name; what is not the deployment's own is a test. */
export function stageType(name: string): StageType {
	return Object.entries(OWN_STAGES).find(([own]) => own === name)?.[1] ?? "test";
}

/** The stages of a deployment, in their order. */
export function plannedStages(
	strategy: "in-place" | "blue-green",
	declared: readonly ListedStage[],
): NewStage[] {
	const own = (name: OwnStage): NewStage => ({ name, type: OWN_STAGES[name], config: {} });
	const at = (moment: StageMoment, expected: string): NewStage[] => {
		const found = declared.filter(({ when }) => when === moment);
		const missing = declared.every(({ name }) => name !== expected);
		return [
			...(missing ? [{ name: expected, type: "test" as const, config: {} }] : []),
			...found.map(({ name, type, command, timeoutSeconds }) => ({
				name,
				type,
				config: { command, timeoutSeconds },
			})),
		];
	};
	return [
		own("Build Database Schema"),
		...at("after-migrations", UNIT_TESTS),
		own("Deploy to Environment"),
		own("Health Checks"),
		...at("after-health", INTEGRATION_TESTS),
		...(strategy === "blue-green" ? [own("Switch Traffic")] : []),
	];
}

/** A stage's name as part of a resource's name. */
export function stageSlug(name: string): string {
	return name
		.toLowerCase()
		.replaceAll(/[^\p{L}\p{N}]+/gu, "-")
		.replaceAll(/^-|-$/g, "");
}
