import type { DeploymentContext } from "../../components/pipeline/context";

/** Of deployments in tests, which nothing holds up. */
export const MIGRATION_SETTINGS: DeploymentContext["migrations"] = {
	lockTimeoutMs: 1000,
	lockRetries: 1,
	statementTimeoutMs: 10_000,
	advisoryLockTimeoutMs: 5000,
	allowOutOfOrder: false,
};
