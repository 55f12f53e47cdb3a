-- What the test files call. All of it is temporary and goes with the transaction.
CREATE TEMP TABLE results (
	number integer GENERATED ALWAYS AS IDENTITY,
	passed boolean NOT NULL,
	name text NOT NULL,
	detail text
) ON COMMIT DROP;

CREATE FUNCTION pg_temp.note(passed boolean, name text, detail text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO pg_temp.results (passed, name, detail)
	VALUES (coalesce(passed, false), name, CASE WHEN passed THEN NULL ELSE detail END)
$$;

CREATE FUNCTION pg_temp.ok(passed boolean, name text) RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.note(passed, name, 'it is ' || coalesce(passed::text, 'unknown'))
$$;

CREATE FUNCTION pg_temp.is(actual anycompatible, expected anycompatible, name text) RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.note(actual IS NOT DISTINCT FROM expected, name,
		format('found %s, expected %s', coalesce(actual::text, 'NULL'), coalesce(expected::text, 'NULL')))
$$;

-- The statement passes; what it does stays for what follows.
CREATE FUNCTION pg_temp.lives(statement text, name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	PERFORM pg_temp.note(true, name, NULL);
EXCEPTION WHEN OTHERS THEN
	PERFORM pg_temp.note(false, name, format('%s (%s)', SQLERRM, SQLSTATE));
END;
$$;

CREATE FUNCTION pg_temp.throws(statement text, state text, name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	PERFORM pg_temp.note(false, name, format('no error, expected %s', state));
EXCEPTION WHEN OTHERS THEN
	PERFORM pg_temp.note(SQLSTATE = state, name, format('%s (%s), expected %s', SQLERRM, SQLSTATE, state));
END;
$$;
