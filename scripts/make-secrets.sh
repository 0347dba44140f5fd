#!/usr/bin/env bash
# Make the secrets that docker-compose.yml reads, in ./secrets; those that are there already stay as they are.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets

random() { python3 -c "import secrets; print(secrets.token_urlsafe($1), end='')"; }
is_missing() { [[ ! -e "secrets/$1" ]]; }

for name in postgres_password redis_password; do
    if is_missing "$name"; then random 32 >"secrets/$name"; fi
done
if is_missing secret_key; then random 64 >secrets/secret_key; fi
if is_missing owner_database_url; then printf 'postgresql://owner:%s@postgres:5432/portal' "$(<secrets/postgres_password)" >secrets/owner_database_url; fi
if is_missing database_url; then printf 'postgresql://portal:%s@postgres:5432/portal' "$(random 32)" >secrets/database_url; fi
if is_missing redis_url; then printf 'redis://:%s@redis:6379/0' "$(<secrets/redis_password)" >secrets/redis_url; fi
for name in stripe_secret_key stripe_webhook_secret email_host_password; do
    if is_missing "$name"; then
        : >"secrets/$name"
        echo "Fill in secrets/$name"
    fi
done
# The folder is closed to others here; the containers' user reads the files as they are mounted.
chmod 700 secrets
chmod 644 secrets/*
