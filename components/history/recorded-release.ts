import type { ClientBase } from "pg";
import { z } from "zod";
import { readTraffic } from "./traffic-record";
import { type TrafficSpan, trafficSpans } from "./traffic-spans";

const statuses = ["pending", "running", "completed", "failed", "rolled_back"] as const;

/** A deployment as the catalog has it, with what was gone back from, if anything. */
const recordedDeploymentSchema = z.object({
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

export type RecordedDeployment = z.infer<typeof recordedDeploymentSchema>;

/** With the times in which what it brought had the traffic, oldest first. */
export interface RecordedRelease extends RecordedDeployment {
	traffic: TrafficSpan[];
}

/** Every deployment of the catalog, newest first. Reads only, of one moment. */
export async function recordedReleases(client: ClientBase): Promise<RecordedRelease[]> {
	await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
	try {
		const deployments = await recordedDeployments(client);
		const spans = trafficSpans(deployments, await readTraffic(client));
		return deployments.map((each) => ({
			...each,
			traffic: spans.filter(({ deployment }) => deployment === each.deployment),
		}));
	} finally {
		await client.query("ROLLBACK");
	}
}

async function recordedDeployments(client: ClientBase): Promise<RecordedDeployment[]> {
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
	return z.array(recordedDeploymentSchema).parse(rows);
}
