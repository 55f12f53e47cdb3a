-- The record of what was done is not changed once it is done: a correction is a note in the audit log. AFTER, so that
-- what a column cannot have at all is said by its own constraint.
CREATE FUNCTION keep_record() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	before jsonb := to_jsonb(OLD) - '{updated_at}'::text[];
	after jsonb := to_jsonb(NEW) - '{updated_at}'::text[];
	-- Columns that stay as they were written.
	kept text[] := TG_ARGV[0];
	changed text;
BEGIN
	SELECT string_agg(key, ', ' ORDER BY key) INTO changed FROM jsonb_each(before) AS old (key, value)
	WHERE after -> key IS DISTINCT FROM value
		-- One that was announced begins later.
		AND NOT (key = 'started_at' AND value = 'null')
		AND (key = ANY (kept) OR public.is_done(TG_TABLE_NAME, before, after));
	IF changed IS NOT NULL THEN
		RAISE EXCEPTION '% % is on record: a change of % is refused', TG_TABLE_NAME, before ->> 'id', changed
			USING ERRCODE = 'insufficient_privilege', HINT = 'A correction is a new row: a note in audit_log.';
	END IF;
	RETURN NULL;
END;
$$;

-- Whether a row has come to its end, so that nothing of it may change any more. One that has failed may still be rolled back.
CREATE FUNCTION is_done(of_table text, before jsonb, after jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
	SELECT CASE of_table
		WHEN 'deployment_pipelines' THEN before ->> 'status' IN ('completed', 'rolled_back')
			OR (before ->> 'status' = 'failed' AND after ->> 'status' <> 'rolled_back')
		WHEN 'deployment_rollbacks' THEN before ->> 'rollback_status' IN ('completed', 'failed')
		ELSE false
	END
$$;

CREATE TRIGGER keep_record AFTER UPDATE ON deployment_pipelines FOR EACH ROW EXECUTE FUNCTION keep_record(
	'{id,pipeline_name,pipeline_version,environment,triggered_by,git_commit_hash,git_branch,deployment_config,created_at,started_at}');
CREATE TRIGGER keep_record AFTER UPDATE ON deployment_rollbacks FOR EACH ROW EXECUTE FUNCTION keep_record(
	'{id,pipeline_id,rollback_reason,rollback_type,previous_version,target_version,started_at}');
CREATE TRIGGER keep_record AFTER UPDATE ON deployment_stages FOR EACH ROW EXECUTE FUNCTION keep_record(
	'{id,pipeline_id,stage_name,stage_order,stage_type,stage_config,created_at}');
CREATE TRIGGER keep_record AFTER UPDATE ON deployment_migrations FOR EACH ROW WHEN (OLD.is_applied AND NEW.is_applied)
	EXECUTE FUNCTION keep_record(
		'{id,target_database,migration_name,migration_version,migration_type,migration_sql,rollback_sql,dependencies,checksum}');

-- A second argument: columns of which the hash is told, since they are long.
CREATE OR REPLACE FUNCTION write_audit() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
	left_out text[] := TG_ARGV[0];
	hashed text[] := coalesce(TG_ARGV[1], '{}');
	before jsonb;
	after jsonb;
BEGIN
	IF TG_OP <> 'INSERT' THEN
		before := public.audited(to_jsonb(OLD), left_out, hashed);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		after := public.audited(to_jsonb(NEW), left_out, hashed);
	END IF;
	IF before IS DISTINCT FROM after THEN
		INSERT INTO public.audit_log (kind, event)
		VALUES (TG_TABLE_NAME, jsonb_build_object('op', lower(TG_OP), 'row', coalesce(after, before)));
	END IF;
	RETURN NULL;
END;
$$;

-- What the audit log has of a row: a hashed column `x` is there as `x_sha256`.
CREATE FUNCTION audited(content jsonb, left_out text[], hashed text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
	SELECT (content - left_out - hashed) || coalesce(
		(SELECT jsonb_object_agg(name || '_sha256', encode(sha256(convert_to(content ->> name, 'UTF8')), 'hex'))
		FROM unnest(hashed) AS name), '{}')
$$;

DROP TRIGGER write_audit ON deployment_migrations;
CREATE TRIGGER write_audit AFTER INSERT OR UPDATE OR DELETE ON deployment_migrations FOR EACH ROW
	EXECUTE FUNCTION write_audit('{updated_at}', '{migration_sql,rollback_sql}');
SET LOCAL timezone = 'UTC';
INSERT INTO audit_log (kind, event)
SELECT 'deployment_migrations', jsonb_build_object('op', 'found', 'row', audited(to_jsonb(old), '{updated_at}', '{migration_sql,rollback_sql}'))
FROM deployment_migrations AS old ORDER BY id;

-- Which tables are held against the log is for the auditor to know, not for the catalog to say.
DROP TABLE audited_tables;

-- The turn of whoever writes is a row that only this function may lock: an advisory lock could be taken, and kept, by
-- anybody who may read.
CREATE TABLE audit_turn (only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one));
INSERT INTO audit_turn DEFAULT VALUES;
CREATE OR REPLACE FUNCTION chain_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
	last record;
BEGIN
	PERFORM FROM public.audit_turn FOR UPDATE;
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
ALTER TABLE audit_log ADD CHECK (id > 0);
