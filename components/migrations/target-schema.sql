CREATE SCHEMA deployment;

CREATE TABLE deployment.schema_migrations (
	version text PRIMARY KEY,
	version_order integer[] NOT NULL UNIQUE GENERATED ALWAYS AS (string_to_array(version, '.')::integer[]) STORED,
	sequence bigint NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY,
	name text NOT NULL UNIQUE,
	type text NOT NULL CHECK (type IN ('schema', 'data', 'index', 'function')),
	checksum text NOT NULL,
	depends_on text[] NOT NULL,
	up_sql text NOT NULL,
	up_transaction boolean NOT NULL,
	down_sql text,
	down_transaction boolean,
	irreversible text,
	state text NOT NULL CHECK (state IN ('applied', 'running', 'undoing')),
	statements_done integer NOT NULL DEFAULT 0,
	statement_sent boolean NOT NULL DEFAULT false,
	applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	applied_by text NOT NULL,
	duration_ms bigint NOT NULL,
	deployment_id bigint NOT NULL,
	CHECK ((down_sql IS NULL) = (irreversible IS NOT NULL)),
	CHECK ((down_sql IS NULL) = (down_transaction IS NULL))
);
CREATE INDEX schema_migrations_deployment ON deployment.schema_migrations (deployment_id);

-- The digest of all records, so that a run with nothing to do reads one row. NULL while it may not be right.
CREATE TABLE deployment.schema_state (
	only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	digest text,
	settled_at timestamptz
);
INSERT INTO deployment.schema_state DEFAULT VALUES;

CREATE FUNCTION deployment.forget_digest() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	UPDATE deployment.schema_state SET digest = NULL WHERE digest IS NOT NULL;
	RETURN NULL;
END;
$$;
CREATE TRIGGER forget_digest AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON deployment.schema_migrations
	FOR EACH STATEMENT EXECUTE FUNCTION deployment.forget_digest();

CREATE VIEW deployment.schema_version AS
SELECT version, (SELECT count(*)::integer FROM deployment.schema_migrations WHERE state = 'applied') AS migrations
FROM deployment.schema_migrations
WHERE state = 'applied'
ORDER BY version_order DESC
LIMIT 1;

REVOKE ALL ON deployment.schema_migrations, deployment.schema_state FROM PUBLIC;
GRANT USAGE ON SCHEMA deployment TO PUBLIC;
GRANT SELECT ON deployment.schema_version TO PUBLIC;
