import type { ClientBase } from "pg";
import { readReplication } from "../../components/monitoring/replication";
import type { HealthCheck, Lag, Traffic } from "../state";

/**
 * How far the colours that follow the live one are behind it, as its own slots have it. None where nothing follows it.
 *
 * @param client on the live colour's server
 */
export async function measureLinks(client: ClientBase, { live, colors }: Traffic): Promise<Lag["links"]> {
	const source = colors.find(({ color }) => color === live);
	if (source?.database == null) {
		return [];
	}
	const base = source.database.replace(/_(blue|green)_\d+$/, "");
	return (await readReplication(client))
		.filter(({ name, from }) => from === source.generation && name.startsWith(`${base}_${from}_to_`))
		.map(({ name, to, active, lagBytes }) => ({
			id: name,
			from: `${source.color}-${source.generation}`,
			to: nameOfGeneration(to, colors),
			connected: active,
			value: lagBytes,
			at: null,
		}));
}

function nameOfGeneration(wanted: number, colors: Traffic["colors"]): string {
	const owner = colors.find(
		({ generation, building }) => generation === wanted || building?.generation === wanted,
	);
	return owner === undefined ? `generation ${wanted}` : `${owner.color}-${wanted}`;
}

/** The lag as it was measured, else as the newest health check found it; null where neither knows any. */
export function lagOf(links: Lag["links"], checks: readonly HealthCheck[], traffic: Traffic): Lag | null {
	if (links.length > 0) {
		return { source: "slots", unit: "bytes", links };
	}
	const found = [...checks]
		.filter(({ name }) => name === "replication_lag")
		.sort((left, right) => right.checkedAt.localeCompare(left.checkedAt))[0];
	const live = traffic.colors.find(({ color }) => color === traffic.live);
	const other = traffic.colors.find(({ color, database }) => color !== traffic.live && database !== null);
	if (found?.figure == null || live === undefined || other === undefined) {
		return null;
	}
	const [from, to] = [live, other].map(({ color, generation }) => `${color}-${generation ?? "?"}`);
	const link = {
		id: "check",
		from: from!,
		to: to!,
		connected: null,
		value: found.figure,
		at: found.checkedAt,
	};
	return { source: "checks", unit: found.unit ?? "", links: [link] };
}
