import type { ClientBase } from "pg";
import { z } from "zod";

const statuses = ["pending", "running", "completed", "failed", "rolled_back"] as const;

/** A deployment as the catalog has it, with what was gone back from, if anything. */
const recordedReleaseSchema = z.object({
	deployment: z.coerce.number(),
	release: z.string(),
	status: z.enum(statuses),
	/** In ISO 8601. */
	startedAt: z.string().nullable(),
	endedAt: z.string().nullable(),
	triggeredBy: z.string().nullable(),
	commit: z.string().nullable(),
	branch: z.string().nullable(),
	error: z.string().nullable(),
	rollbacks: z.array(
		z.object({
			type: z.enum(["automatic", "manual", "health_check_failure"]),
			reason: z.string(),
			status: z.string(),
			from: z.string().nullable(),
			to: z.string().nullable(),
		}),
	),
});

export type RecordedRelease = z.infer<typeof recordedReleaseSchema>;

/** Every deployment of the catalog, newest first. */
export async function recordedReleases(client: ClientBase): Promise<RecordedRelease[]> {
	const { rows } = await client.query(
		`SELECT pipeline.id AS deployment, pipeline_version AS release, status,
			to_json(started_at AT TIME ZONE 'UTC') #>> '{}' || 'Z' AS "startedAt",
			to_json(completed_at AT TIME ZONE 'UTC') #>> '{}' || 'Z' AS "endedAt",
			triggered_by AS "triggeredBy", git_commit_hash AS commit, git_branch AS branch, error_message AS error,
			coalesce((SELECT json_agg(json_build_object('type', rollback_type, 'reason', rollback_reason,
				'status', rollback_status, 'from', previous_version, 'to', target_version) ORDER BY id)
				FROM deployment_rollbacks WHERE pipeline_id = pipeline.id), '[]') AS rollbacks
		FROM deployment_pipelines AS pipeline ORDER BY pipeline.id DESC`,
	);
	return z.array(recordedReleaseSchema).parse(rows);
}

/** A release, and since when it was live. */
export interface LiveRelease {
	release: string;
	/** In ISO 8601. */
	since: string;
	deployment: number;
}

/**
 * Which release was live at a time: that of the last deployment that had come to its end by then. One that was taken back
 * does not count, though it may have had the traffic until its bake failed.
 *
 * @param recorded newest first
 * @returns undefined before the first
 */
export function liveAt(recorded: readonly RecordedRelease[], time: Date): LiveRelease | undefined {
	for (const { deployment, release, status, endedAt } of recorded) {
		if (status === "completed" && endedAt !== null && new Date(endedAt) <= time) {
			return { release, since: endedAt, deployment };
		}
	}
	return undefined;
}
