CREATE TABLE deployment_pipelines (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pipeline_name text NOT NULL CHECK (pipeline_name <> ''),
	pipeline_version text NOT NULL CHECK (pipeline_version <> ''),
	environment text NOT NULL CHECK (environment IN ('development', 'staging', 'production')),
	status text NOT NULL DEFAULT 'pending'
		CHECK (status IN ('pending', 'running', 'completed', 'failed', 'rolled_back')),
	started_at timestamptz,
	completed_at timestamptz,
	triggered_by text,
	git_commit_hash text,
	git_branch text,
	deployment_config jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(deployment_config) = 'object'),
	error_message text,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CHECK (status = 'pending' OR started_at IS NOT NULL),
	CHECK ((status IN ('completed', 'failed', 'rolled_back')) = (completed_at IS NOT NULL)),
	CHECK (completed_at >= started_at)
);
CREATE INDEX deployment_pipelines_latest ON deployment_pipelines (environment, id DESC);
CREATE INDEX deployment_pipelines_running ON deployment_pipelines (environment) WHERE status IN ('pending', 'running');

CREATE TABLE deployment_stages (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pipeline_id bigint NOT NULL REFERENCES deployment_pipelines (id) ON DELETE CASCADE,
	stage_name text NOT NULL CHECK (stage_name <> ''),
	stage_order integer NOT NULL CHECK (stage_order > 0),
	stage_type text NOT NULL CHECK (stage_type IN ('build', 'test', 'deploy', 'validate', 'rollback')),
	status text NOT NULL DEFAULT 'pending'
		CHECK (status IN ('pending', 'running', 'completed', 'failed', 'skipped')),
	started_at timestamptz,
	completed_at timestamptz,
	duration_ms bigint CHECK (duration_ms >= 0),
	stage_config jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(stage_config) = 'object'),
	stage_output text,
	error_message text,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (pipeline_id, stage_order)
);

CREATE TABLE deployment_migrations (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	target_database text NOT NULL CHECK (target_database <> ''),
	migration_name text NOT NULL CHECK (migration_name <> ''),
	migration_version text NOT NULL CHECK (migration_version ~ '^\d+\.\d+\.\d+$'),
	migration_type text NOT NULL CHECK (migration_type IN ('schema', 'data', 'index', 'function')),
	migration_sql text NOT NULL,
	rollback_sql text,
	dependencies text[] NOT NULL DEFAULT '{}',
	checksum text NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
	is_applied boolean NOT NULL DEFAULT false,
	applied_at timestamptz,
	applied_by text,
	execution_time_ms bigint CHECK (execution_time_ms >= 0),
	status text NOT NULL DEFAULT 'pending'
		CHECK (status IN ('pending', 'running', 'completed', 'failed', 'rolled_back')),
	error_message text,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (target_database, migration_version),
	CHECK (is_applied OR status <> 'completed'),
	CHECK (NOT is_applied OR (applied_at IS NOT NULL AND applied_by IS NOT NULL))
);

CREATE TABLE deployment_execution_logs (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	deployment_id bigint NOT NULL REFERENCES deployment_pipelines (id) ON DELETE CASCADE,
	migration_id bigint REFERENCES deployment_migrations (id) ON DELETE CASCADE,
	execution_step text NOT NULL CHECK (execution_step <> ''),
	step_status text NOT NULL CHECK (step_status IN ('started', 'completed', 'failed')),
	step_duration_ms bigint CHECK (step_duration_ms >= 0),
	step_output text,
	error_message text,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	CHECK ((step_status = 'failed') = (error_message IS NOT NULL))
);
CREATE INDEX deployment_execution_logs_deployment ON deployment_execution_logs (deployment_id, id);
CREATE INDEX deployment_execution_logs_migration ON deployment_execution_logs (migration_id, id);

CREATE TABLE blue_green_deployments (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	deployment_name text NOT NULL UNIQUE CHECK (deployment_name <> ''),
	environment text NOT NULL CHECK (environment IN ('development', 'staging', 'production')),
	current_active text NOT NULL DEFAULT 'blue' CHECK (current_active IN ('blue', 'green')),
	deployment_status text NOT NULL DEFAULT 'idle'
		CHECK (deployment_status IN ('idle', 'deploying', 'switching', 'completed', 'failed')),
	blue_database_host text,
	blue_database_port integer CHECK (blue_database_port BETWEEN 1 AND 65535),
	blue_database_name text,
	green_database_host text,
	green_database_port integer CHECK (green_database_port BETWEEN 1 AND 65535),
	green_database_name text,
	switch_started_at timestamptz,
	switch_completed_at timestamptz,
	health_check_results jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(health_check_results) = 'array'),
	rollback_triggered boolean NOT NULL DEFAULT false,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE deployment_rollbacks (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pipeline_id bigint NOT NULL REFERENCES deployment_pipelines (id) ON DELETE CASCADE,
	rollback_reason text NOT NULL CHECK (rollback_reason <> ''),
	rollback_type text NOT NULL CHECK (rollback_type IN ('automatic', 'manual', 'health_check_failure')),
	previous_version text,
	target_version text,
	rollback_status text NOT NULL DEFAULT 'pending'
		CHECK (rollback_status IN ('pending', 'running', 'completed', 'failed')),
	started_at timestamptz NOT NULL DEFAULT now(),
	completed_at timestamptz,
	rollback_steps jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(rollback_steps) = 'array'),
	error_message text,
	updated_at timestamptz NOT NULL DEFAULT now(),
	CHECK ((rollback_status IN ('completed', 'failed')) = (completed_at IS NOT NULL)),
	CHECK ((rollback_status = 'failed') = (error_message IS NOT NULL))
);
CREATE INDEX deployment_rollbacks_pipeline ON deployment_rollbacks (pipeline_id);
CREATE INDEX deployment_rollbacks_latest ON deployment_rollbacks (started_at DESC);

CREATE TABLE environment_configs (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	environment_name text NOT NULL CHECK (environment_name <> ''),
	environment_type text NOT NULL CHECK (environment_type IN ('development', 'staging', 'production')),
	database_host text NOT NULL,
	database_port integer NOT NULL CHECK (database_port BETWEEN 1 AND 65535),
	database_name text NOT NULL,
	database_user text NOT NULL,
	connection_pool_size integer NOT NULL CHECK (connection_pool_size > 0),
	max_connections integer NOT NULL CHECK (max_connections > 0),
	backup_schedule text NOT NULL,
	monitoring_enabled boolean NOT NULL,
	alerting_enabled boolean NOT NULL,
	config_data jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(config_data) = 'object'),
	is_active boolean NOT NULL DEFAULT true,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX environment_configs_active ON environment_configs (environment_name) WHERE is_active;

-- What the catalog last copied from a target's own records; equal digests mean that there is nothing to copy.
CREATE TABLE migration_targets (
	target_database text PRIMARY KEY,
	digest text,
	updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.updated_at := clock_timestamp();
	RETURN NEW;
END;
$$;

DO $$
DECLARE
	tracked text;
BEGIN
	FOREACH tracked IN ARRAY ARRAY['deployment_pipelines', 'deployment_stages', 'deployment_migrations',
		'blue_green_deployments', 'deployment_rollbacks', 'environment_configs', 'migration_targets']
	LOOP
		EXECUTE format('CREATE TRIGGER touch_updated_at BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION touch_updated_at()', tracked);
	END LOOP;
END;
$$;
