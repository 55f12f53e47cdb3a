import { approvalFault } from "../../components/guards/approved-migrations";
import type { MigrationEntry } from "../../components/migrations/migration-entries";
import { oneOf, type ResourceRule } from "../rule";

export const migrationsAreApproved: ResourceRule<{ migrations: Record<string, MigrationEntry> }> = {
	name: "release-migrations-approved",
	description: "Every migration that cannot be undone is approved by name, in approvedMigrations.",
	isAbout: oneOf("pulumi-nodejs:dynamic/migrations:MigrationSet"),
	faults({ props }, { approvedMigrations }) {
		const migrations = Object.entries(props.migrations ?? {}).map(([version, entry]) => ({
			version,
			...entry,
		}));
		// What is applied already counts as well: every new colour gets it anew.
		const fault = approvalFault(migrations, [], approvedMigrations);
		return fault === undefined ? [] : [fault];
	},
};
