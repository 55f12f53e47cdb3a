-- The release that each colour's database was built for, or got the traffic with.
CREATE TABLE color_releases (
	database_name text PRIMARY KEY CHECK (database_name <> ''),
	release text NOT NULL CHECK (release <> ''),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER touch_updated_at BEFORE UPDATE ON color_releases FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- What monitoring asks is answered from these alone, without the rows of years of deployments.
CREATE INDEX deployment_pipelines_created ON deployment_pipelines (created_at)
	INCLUDE (environment, status, started_at, completed_at);
CREATE INDEX deployment_pipelines_completed ON deployment_pipelines (completed_at DESC, id DESC)
	INCLUDE (status, started_at) WHERE completed_at IS NOT NULL;
CREATE INDEX deployment_pipelines_finished ON deployment_pipelines (environment, completed_at DESC, id DESC)
	INCLUDE (status) WHERE completed_at IS NOT NULL;

-- The deployments of the last 30 days. The success rate, in percent, and the times are those of the finished ones.
CREATE VIEW deployment_metrics AS
SELECT environment,
	count(*) AS total_deployments,
	count(*) FILTER (WHERE status = 'completed') AS successful_deployments,
	count(*) FILTER (WHERE status = 'failed') AS failed_deployments,
	count(*) FILTER (WHERE status = 'rolled_back') AS rollback_deployments,
	coalesce(round(count(*) FILTER (WHERE status = 'completed') * 100.0 / nullif(count(completed_at), 0), 2), 0)
		AS success_rate,
	coalesce(round(avg(extract(epoch FROM completed_at - started_at)), 3), 0) AS avg_deployment_time_seconds,
	coalesce(round(max(extract(epoch FROM completed_at - started_at)), 3), 0) AS max_deployment_time_seconds
FROM deployment_pipelines
WHERE created_at > now() - interval '30 days'
GROUP BY environment
ORDER BY environment;

-- Every finished deployment with its duration. Whoever asks orders them: an order in here would sort them all first.
CREATE VIEW deployment_performance AS
SELECT id AS pipeline_id, pipeline_name, pipeline_version, environment, status, started_at, completed_at,
	round(extract(epoch FROM completed_at - started_at), 3) AS deployment_duration_seconds,
	CASE
		WHEN completed_at - started_at < interval '300 seconds' THEN 'FAST'
		WHEN completed_at - started_at < interval '900 seconds' THEN 'NORMAL'
		ELSE 'SLOW'
	END AS performance_category,
	triggered_by, git_commit_hash, git_branch
FROM deployment_pipelines
WHERE completed_at IS NOT NULL;

-- Today is the day of the session's time zone. An environment's status is that of its last finished deployment.
CREATE FUNCTION get_deployment_health() RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
	'deployment_health', (
		SELECT jsonb_build_object(
			'total_deployments_today', count(*),
			'successful_deployments_today', count(*) FILTER (WHERE status = 'completed'),
			'failed_deployments_today', count(*) FILTER (WHERE status = 'failed'),
			'active_deployments', (SELECT count(*) FROM deployment_pipelines WHERE status = 'running'),
			'avg_deployment_time_minutes', (
				SELECT coalesce(round(avg(extract(epoch FROM completed_at - started_at)) / 60, 2), 0)
				FROM deployment_pipelines
				WHERE status = 'completed' AND completed_at > now() - interval '7 days'
			)
		)
		FROM deployment_pipelines WHERE created_at >= CURRENT_DATE
	),
	'environment_status', (
		SELECT coalesce(jsonb_agg(jsonb_build_object(
			'environment', known.environment,
			'last_deployment', last.completed_at,
			'last_status', last.status,
			'is_healthy', last.status = 'completed'
		) ORDER BY known.environment), '[]')
		-- One look into the index for each environment, where DISTINCT ON would read all of it.
		FROM (VALUES ('development'), ('production'), ('staging')) AS known (environment)
		CROSS JOIN LATERAL (
			SELECT completed_at, status FROM deployment_pipelines
			WHERE environment = known.environment AND completed_at IS NOT NULL
			ORDER BY completed_at DESC, id DESC LIMIT 1
		) AS last
	),
	'recent_rollbacks', (
		SELECT coalesce(jsonb_agg(jsonb_build_object(
			'pipeline_id', pipeline_id,
			'rollback_reason', rollback_reason,
			'rollback_type', rollback_type,
			'started_at', started_at
		) ORDER BY started_at DESC, id DESC), '[]')
		FROM (
			SELECT id, pipeline_id, rollback_reason, rollback_type, started_at FROM deployment_rollbacks
			WHERE started_at > now() - interval '7 days'
			ORDER BY started_at DESC, id DESC LIMIT 10
		) AS recent
	)
);
