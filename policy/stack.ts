import type { EnforcementLevel } from "@pulumi/policy";
import type { EnvironmentName } from "../components/settings/environments";
import { configSchema } from "../components/settings/schema";

/** What the rules know of a stack beside its resources. */
export interface Stack {
	project: string;
	environment: EnvironmentName;
	/** Versions of the migrations that may run though they cannot be undone. */
	approvedMigrations: readonly string[];
}

/**
 * Reads from the stack config what the rules have to know.
 * A stack that says no environment, or a wrong one, is held to production's rules: the program itself refuses it with every mistake.
 *
 * @param config full key → text, as Pulumi hands it to a program
 */
export function stackFrom(project: string, config: Readonly<Record<string, string | undefined>>): Stack {
	const { environment, approvedMigrations } = configSchema.shape;
	return {
		project,
		environment: environment.safeParse(config[`${project}:environment`]).data ?? "production",
		approvedMigrations: approvedMigrations.safeParse(config[`${project}:approvedMigrations`]).data ?? [],
	};
}

/** A developer is told; staging and production are refused. */
export function enforcementIn(environment: EnvironmentName): EnforcementLevel {
	return environment === "development" ? "advisory" : "mandatory";
}
