#!/usr/bin/env bash
# Lock the newest allowed versions; the lock files name no registry.
set -euo pipefail
cd "$(dirname "$0")/.."
for name in base dev; do
    .venv/bin/uv pip compile -q --upgrade --universal --python-version 3.11 --no-emit-index-url --no-header \
        "requirements/$name.in" -o "requirements/$name.txt"
done
PATH="$PWD/.venv/bin:$PATH" npm update --package-lock-only --ignore-scripts --loglevel=error
if grep -nE '"resolved":|^--(index-url|extra-index-url|find-links)' package-lock.json requirements/*.txt; then
    echo "A lock file names a registry." >&2
    exit 1
fi
