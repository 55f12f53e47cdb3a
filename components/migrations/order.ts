import { type Migration, versionKey } from "./migration";
import type { FileProblem } from "./problems";

/** A dependency that cannot be met. */
export interface OrderProblem extends Pick<FileProblem, "what" | "mend"> {
	migration: Migration;
}

export interface Ordering {
	ordered: Migration[];
	problems: OrderProblem[];
}

/**
 * Dependencies first, otherwise by version. Each migration comes directly after those of its dependencies that a plain
 * order by version would put behind it. Every missing and circular dependency is reported.
 */
export function orderMigrations(migrations: readonly Migration[]): Ordering {
	const byVersion = migrations
		.map((migration) => ({ migration, key: versionKey(migration.version) }))
		.sort((a, b) => (a.key < b.key ? -1 : 1))
		.map(({ migration }) => migration);
	const byName = new Map(byVersion.map((migration) => [migration.name, migration]));
	const ordered: Migration[] = [];
	const problems: OrderProblem[] = [];
	const state = new Map<Migration, "open" | "done">();

	for (const root of byVersion) {
		// A stack of its own, since a chain of dependencies may be as long as there are migrations.
		const path: { migration: Migration; next: number }[] = [];
		const enter = (migration: Migration) => {
			state.set(migration, "open");
			path.push({ migration, next: 0 });
		};
		if (!state.has(root)) enter(root);
		while (path.length > 0) {
			const { migration, next } = path[path.length - 1]!;
			const name = migration.dependsOn[next];
			if (name === undefined) {
				state.set(migration, "done");
				ordered.push(migration);
				path.pop();
				continue;
			}
			path[path.length - 1]!.next++;
			const dependency = byName.get(name);
			if (!dependency) {
				problems.push({
					migration,
					what: `it depends on ${name}, which no migration is named`,
					mend: "correct the name, or add that migration",
				});
			} else if (state.get(dependency) === "open") {
				const cycle = path.slice(path.findIndex((step) => step.migration === dependency));
				const names = [...cycle.map((step) => step.migration.name), dependency.name];
				problems.push({
					migration,
					what: `its dependencies are circular: ${names.join(" -> ")}`,
					mend: "remove one of these dependencies",
				});
			} else if (!state.has(dependency)) {
				enter(dependency);
			}
		}
	}
	return { ordered, problems };
}

/** The migrations that a release wants: those whose version is not above it. Keeps their order. */
export function wantedFor(release: string, migrations: readonly Migration[]): Migration[] {
	const newest = versionKey(release);
	return migrations.filter(({ version }) => versionKey(version) <= newest);
}
