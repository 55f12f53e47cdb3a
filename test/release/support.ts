import type { BlueGreenPlan } from "../../components/release/blue-green";
import type { DesiredRelease, LastOutputs, ReleaseMigrations } from "../../components/release/color-record";

const service: DesiredRelease["service"] = {
	entry: "service/main.ts",
	poolSize: 5,
	logLevel: "info",
	debugMode: false,
	schemaCompatibility: "same-major",
};

/** A migration as its file has it by default. */
export function record(
	version: string,
	changes: Partial<ReleaseMigrations[string]> = {},
): ReleaseMigrations[string] {
	return {
		name: `m${version.replaceAll(".", "_")}`,
		type: "schema",
		checksum: `sum of ${version}`,
		dependsOn: [],
		...changes,
	};
}

/** Migrations by version. */
export function files(...versions: string[]): ReleaseMigrations {
	return Object.fromEntries(versions.map((version) => [version, record(version)]));
}

/** What a stack file asks for; every migration can be undone unless it is said which. */
export function desired(
	release: string,
	migrations: ReleaseMigrations,
	settings: Partial<DesiredRelease["service"]> = {},
	reversible: string[] = Object.keys(migrations),
): DesiredRelease {
	return {
		release,
		requiredSchema: Object.keys(migrations).at(-1) ?? "none",
		migrations,
		service: { ...service, ...settings },
		reversible,
	};
}

/** What an update that does all of a plan leaves. */
export function after(last: LastOutputs | undefined, plan: BlueGreenPlan): LastOutputs {
	const switchedAt = "2026-01-31T08:00:00.000Z";
	const colors = plan.colors.map(({ color, ...rest }) => [
		color,
		{
			...rest,
			database: `counting_${color}_${rest.generation}`,
			...(color === plan.live && {
				switchedAt: plan.kind === "same" ? last?.colors[color]?.switchedAt : switchedAt,
			}),
		},
	]);
	return { live: plan.live, colors: Object.fromEntries(colors), nextGeneration: plan.nextGeneration };
}
