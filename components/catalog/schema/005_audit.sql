-- What has ever been said of deployments, row after row. Each row has the hash of the one before, so that none can be
-- changed, taken out or put in without all that follow being written anew.
CREATE TABLE audit_log (
	id bigint PRIMARY KEY,
	recorded_at timestamptz NOT NULL,
	recorded_by text NOT NULL CHECK (recorded_by !~ '\n'),
	-- The table that it is about, or `note`.
	kind text NOT NULL CHECK (kind <> '' AND kind !~ '\n'),
	event jsonb NOT NULL CHECK (jsonb_typeof(event) = 'object'),
	previous_hash text NOT NULL UNIQUE,
	hash text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$')
);
CREATE INDEX audit_log_subject ON audit_log (kind, (event -> 'row' ->> 'id'), id DESC);

-- Whoever inserts says what has happened; place, time, author and hashes are not his to say. One at a time: the lock is
-- kept to the end of the transaction, so that the next one sees this row.
CREATE FUNCTION chain_audit() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
	last record;
BEGIN
	PERFORM pg_advisory_xact_lock(7215930149);
	SELECT id, hash INTO last FROM public.audit_log ORDER BY id DESC LIMIT 1;
	NEW.id := coalesce(last.id, 0) + 1;
	NEW.recorded_at := clock_timestamp();
	NEW.recorded_by := session_user;
	-- Of other tables their triggers speak, and the owner, who could do away with all of this.
	IF pg_trigger_depth() = 1 AND NOT pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
		NEW.kind := 'note';
	END IF;
	NEW.previous_hash := coalesce(last.hash, repeat('0', 64));
	NEW.hash := encode(sha256(convert_to(concat_ws(E'\n', NEW.previous_hash, NEW.id,
		to_char(NEW.recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), NEW.recorded_by, NEW.kind, NEW.event), 'UTF8')), 'hex');
	RETURN NEW;
END;
$$;
CREATE TRIGGER chain_audit BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION chain_audit();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
		USING ERRCODE = 'insufficient_privilege', HINT = 'A correction is a new row.';
END;
$$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- By row: a migration that was announced and never begun goes, and takes with it the rows that it does not have.
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON deployment_execution_logs
	FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON deployment_execution_logs
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Arguments: columns that are left out, since they say nothing new or too much.
CREATE FUNCTION write_audit() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
	left_out text[] := TG_ARGV[0];
	before jsonb;
	after jsonb;
BEGIN
	IF TG_OP <> 'INSERT' THEN
		before := to_jsonb(OLD) - left_out;
	END IF;
	IF TG_OP <> 'DELETE' THEN
		after := to_jsonb(NEW) - left_out;
	END IF;
	IF before IS DISTINCT FROM after THEN
		INSERT INTO public.audit_log (kind, event)
		VALUES (TG_TABLE_NAME, jsonb_build_object('op', lower(TG_OP), 'row', coalesce(after, before)));
	END IF;
	RETURN NULL;
END;
$$;

-- What is told of each table; `npm run audit` holds the tables against it.
CREATE TABLE audited_tables (
	name text PRIMARY KEY,
	left_out text[] NOT NULL
);
INSERT INTO audited_tables (name, left_out) VALUES
	('deployment_pipelines', '{updated_at}'),
	('deployment_stages', '{updated_at,stage_output}'),
	('deployment_migrations', '{updated_at,migration_sql,rollback_sql}'),
	('deployment_rollbacks', '{updated_at}'),
	('blue_green_deployments', '{updated_at}'),
	('environment_configs', '{updated_at}');

DO $$
DECLARE
	audited record;
BEGIN
	SET LOCAL timezone = 'UTC';
	FOR audited IN SELECT * FROM audited_tables ORDER BY name LOOP
		-- Rows that are older than the log begin it, as they were found.
		EXECUTE format(
			'INSERT INTO audit_log (kind, event)
			SELECT %L, jsonb_build_object(''op'', ''found'', ''row'', to_jsonb(old) - %L::text[]) FROM %I AS old ORDER BY id',
			audited.name, audited.left_out, audited.name);
		EXECUTE format(
			'CREATE TRIGGER write_audit AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION write_audit(%L)',
			audited.name, audited.left_out);
		EXECUTE format(
			'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
			audited.name);
	END LOOP;
END;
$$;
