# shellcheck shell=sh
# Run by the PostgreSQL image on an empty volume: creates a role for Parlor, which owns its database and nothing else.
# The password is taken from the database URL, where infra/scaled/secrets.sh has put hexadecimal digits.
password=$(sed -E 's#^[a-z+]+://parlor:([^@]*)@.*#\1#' "${DATABASE_URL_FILE:-/run/secrets/database-url}")
psql --quiet --no-psqlrc --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --set=password="$password" <<'SQL'
create role parlor login password :'password';
create database parlor owner parlor;
revoke connect, temporary on database parlor, postgres, template1 from public;
SQL
