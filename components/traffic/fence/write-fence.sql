-- Whether the application may write into this database. Objects of the role that migrates it.
CREATE TABLE IF NOT EXISTS deployment.write_fence (
	only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	-- Writes are refused until then; a cutover that dies leaves no database closed for good.
	closed_until timestamptz NOT NULL DEFAULT 'infinity',
	-- Grows with each opening, over all colours: the highest one is the colour that was live last. 0 was never live.
	epoch bigint NOT NULL DEFAULT 0,
	changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO deployment.write_fence DEFAULT VALUES ON CONFLICT DO NOTHING;

-- Replicated in both directions: a marker that arrives proves that everything before it has arrived. Rows are never
-- changed, since an apply worker may pass over a change of a row that it does not find.
CREATE TABLE IF NOT EXISTS deployment.cutover_markers (
	marker uuid PRIMARY KEY,
	made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The lock is tried, never waited for: a write that waited could be committed here after the switch. Everything is
-- qualified, since a function-wide search_path would cost each statement as much as all the rest.
CREATE OR REPLACE FUNCTION deployment.refuse_fenced_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	closed_until pg_catalog.timestamptz;
BEGIN
	IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE'
		AND (SELECT relispartition FROM pg_catalog.pg_class WHERE pg_class.oid OPERATOR(pg_catalog.=) TG_RELID)
		AND EXISTS (SELECT FROM pg_catalog.pg_publication) THEN
		RAISE EXCEPTION 'TRUNCATE of a single partition would not reach the other colour'
			USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE, or TRUNCATE the partitioned table.';
	END IF;
	-- The owner migrates this database while the application is kept out of it.
	IF session_user OPERATOR(pg_catalog.=) current_user THEN
		RETURN NULL;
	END IF;
	IF NOT pg_catalog.pg_try_advisory_xact_lock_shared(6180339887498948) THEN
		RAISE EXCEPTION 'writes are refused for a moment: the traffic is moving to another colour'
			USING ERRCODE = 'read_only_sql_transaction', HINT = 'Try again shortly.';
	END IF;
	IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) 'read committed' THEN
		SELECT fence.closed_until INTO closed_until FROM deployment.write_fence AS fence;
	ELSE
		-- An older snapshot would still see it open; locking the row fails where it has been changed since.
		SELECT fence.closed_until INTO closed_until FROM deployment.write_fence AS fence FOR SHARE;
	END IF;
	IF closed_until OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp() THEN
		RAISE EXCEPTION 'writes are refused here: the traffic goes to another colour'
			USING ERRCODE = 'read_only_sql_transaction', HINT = 'Connect again by way of the router.';
	END IF;
	RETURN NULL;
END;
$$;

REVOKE ALL ON deployment.write_fence, deployment.cutover_markers FROM PUBLIC;
REVOKE ALL ON FUNCTION deployment.refuse_fenced_write() FROM PUBLIC;
