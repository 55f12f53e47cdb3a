import type { EnvironmentType } from "../catalog/deployments";
import type { Migration, SeededEnvironment } from "./migration";
import type { FileProblem } from "./problems";

/** The migrations that an environment gets: seed data stays out of those that it does not name. Keeps their order. */
export function runningIn(environment: EnvironmentType, migrations: readonly Migration[]): Migration[] {
	return migrations.filter(
		({ environments }) => environments === undefined || environments.some((name) => name === environment),
	);
}

/** Migrations that would be without what they depend on where that is left out. */
export function seedProblems(
	migrations: readonly Migration[],
): (Pick<FileProblem, "what" | "mend"> & { migration: Migration })[] {
	const byName = new Map(migrations.map((migration) => [migration.name, migration]));
	return migrations.flatMap((migration) =>
		migration.dependsOn.flatMap((name) => {
			const seeded = byName.get(name)?.environments;
			return seeded === undefined || isWithin(migration.environments, seeded)
				? []
				: [
						{
							migration,
							what: `it depends on ${name}, which only runs in ${seeded.join(", ")}`,
							mend: `take the dependency out, or write -- environments: ${seeded.join(", ")} into this one too`,
						},
					];
		}),
	);
}

function isWithin(
	inner: readonly SeededEnvironment[] | undefined,
	outer: readonly SeededEnvironment[],
): boolean {
	return inner?.every((environment) => outer.includes(environment)) ?? false;
}
