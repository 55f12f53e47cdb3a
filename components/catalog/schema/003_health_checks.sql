CREATE TABLE deployment_health_checks (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	-- NULL: asked for outside a deployment.
	pipeline_id bigint REFERENCES deployment_pipelines (id) ON DELETE CASCADE,
	environment text NOT NULL CHECK (environment IN ('development', 'staging', 'production')),
	color text CHECK (color IN ('blue', 'green')),
	check_name text NOT NULL CHECK (check_name IN ('database_connectivity', 'api_endpoints', 'performance',
		'replication_lag', 'connections', 'migrations')),
	status text NOT NULL CHECK (status IN ('PASS', 'WARNING', 'FAIL')),
	figure double precision,
	unit text,
	detail text NOT NULL,
	checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	CHECK (figure IS NULL OR unit IS NOT NULL)
);
CREATE INDEX deployment_health_checks_pipeline ON deployment_health_checks (pipeline_id);
CREATE INDEX deployment_health_checks_latest ON deployment_health_checks (environment, checked_at DESC);
