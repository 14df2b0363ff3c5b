#!/bin/sh
# Creates the secrets of compose.scaled.yaml in a folder; existing ones are kept.
set -eu
folder=${1:?usage: infra/scaled/secrets.sh FOLDER}
umask 077
mkdir -p "$folder"
# The folder is private, but the files are world-readable, since containers with other user ids mount them.
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
make() {
    [ -s "$folder/$1" ] && return
    printf '%s\n' "$2" > "$folder/$1"
    chmod 0444 "$folder/$1"
}
make secret-key "$(random)"
make postgres-password "$(random)"
make database-url "postgresql+psycopg://parlor:$(random)@database/parlor"
make store-key "$(random)"
make store-identities '{"identities": [{"name": "parlor", "credentials": [{"accessKey": "parlor", "secretKey": "'"$(cat "$folder/store-key")"'"}], "actions": ["Read:parlor", "Write:parlor", "List:parlor", "Tagging:parlor"]}]}'
