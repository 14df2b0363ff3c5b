# shellcheck shell=sh
# Run once by PostgreSQL's image, on an empty volume: the role of Parlor owns its database, and nothing else.
# Its password is that of the address, which infra/scaled/secrets.sh has made of hexadecimal digits.
password=$(sed -E 's#^[a-z+]+://parlor:([^@]*)@.*#\1#' "${DATABASE_URL_FILE:-/run/secrets/database-url}")
psql --quiet --no-psqlrc --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --set=password="$password" <<'SQL'
create role parlor login password :'password';
create database parlor owner parlor;
revoke connect, temporary on database parlor, postgres, template1 from public;
SQL
