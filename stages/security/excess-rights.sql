-- $1 is the service's role; the session's is the owner.
WITH roles AS (
	SELECT oid, rolname, unnest(ARRAY[
		CASE WHEN rolsuper THEN 'SUPERUSER' END,
		CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
		CASE WHEN rolcreatedb THEN 'CREATEDB' END,
		CASE WHEN rolreplication THEN 'REPLICATION' END,
		CASE WHEN rolbypassrls THEN 'BYPASSRLS' END
	]) AS power
	FROM pg_roles WHERE rolname IN ($1, session_user)
)
SELECT format('role %s has %s: ALTER ROLE %I NO%s', rolname, power, rolname, power) AS finding
FROM roles WHERE power IS NOT NULL
UNION ALL
SELECT format('role %s is a member of %s: REVOKE %I FROM %I', member.rolname, granted.rolname, granted.rolname, member.rolname)
FROM pg_auth_members
JOIN pg_roles AS member ON member.oid = member
JOIN pg_roles AS granted ON granted.oid = roleid
WHERE member.rolname IN ($1, session_user)
UNION ALL
SELECT format('role %s may %s on table %s: REVOKE %s ON %s FROM %I', $1::text, privilege, pg_class.oid::regclass, privilege,
	pg_class.oid::regclass, $1::text)
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
CROSS JOIN unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) AS privilege
WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)' AND relkind IN ('r', 'p')
	AND has_table_privilege($1, pg_class.oid, privilege)
UNION ALL
SELECT format('role %s may %s in schema deployment, on %s: REVOKE %s ON %s FROM %I', $1::text, privilege, relname, privilege,
	pg_class.oid::regclass, $1::text)
FROM pg_class
CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) AS privilege
WHERE relnamespace = to_regnamespace('deployment') AND relkind IN ('r', 'p', 'v') AND has_table_privilege($1, pg_class.oid, privilege)
UNION ALL
SELECT format('role %s may create in schema %s: REVOKE CREATE ON SCHEMA %I FROM %I', $1::text, nspname, nspname, $1::text)
FROM pg_namespace
WHERE nspname !~ '^pg_(toast|temp)' AND has_schema_privilege($1, oid, 'CREATE')
UNION ALL
SELECT format('every role may %s on table %s: REVOKE %s ON %s FROM PUBLIC', privilege_type, pg_class.oid::regclass, privilege_type,
	pg_class.oid::regclass)
FROM pg_class, aclexplode(relacl)
WHERE grantee = 0 AND relnamespace = 'public'::regnamespace
UNION ALL
SELECT format('every role may %s database %s: REVOKE %s ON DATABASE %I FROM PUBLIC', privilege_type, datname, privilege_type, datname)
FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
WHERE grantee = 0 AND datname = current_database()
ORDER BY 1;
