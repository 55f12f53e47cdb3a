-- What holds for every table that a migration makes, those of later releases included.
SELECT pg_temp.is(count(*), 0::bigint, 'every index is valid: ' || coalesce(string_agg(indexrelid::regclass::text, ', '), 'none is not'))
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = 'public'::regnamespace AND NOT (indisvalid AND indisready);

SELECT pg_temp.is(count(*), 0::bigint, 'every constraint is validated: ' || coalesce(string_agg(conname, ', '), 'none is not'))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND NOT convalidated;

SELECT pg_temp.is(count(*), 0::bigint, 'every trigger is enabled: ' || coalesce(string_agg(tgname, ', '), 'none is not'))
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = 'public'::regnamespace AND tgenabled = 'D';

-- A colour whose fence is there has it on every table: one without would take writes that the other colour never sees.
SELECT pg_temp.is(count(*), 0::bigint, 'every table is behind the write fence: ' || coalesce(string_agg(relname, ', '), 'none is not'))
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
	AND to_regclass('deployment.write_fence') IS NOT NULL
	AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
	AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'deployment_write_fence' AND tgenabled = 'O');
