#!/bin/sh
# What the official image's entry point does, as far as a stack needs it.
set -eu
as_postgres() {
	setpriv --reuid=999 --regid=999 --clear-groups -- "$@"
}
mkdir -p "$PGDATA"
chown -R 999:999 /var/lib/postgresql
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	# shellcheck disable=SC2086
	as_postgres /opt/postgresql/bin/initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" ${POSTGRES_INITDB_ARGS:-} -D "$PGDATA"
	echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
	echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
	chown 999:999 "$PGDATA/pg_hba.conf"
fi
shift
exec setpriv --reuid=999 --regid=999 --clear-groups -- /opt/postgresql/bin/postgres -D "$PGDATA" "$@"
