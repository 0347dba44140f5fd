#!/usr/bin/env bash
# Stop the embedded servers and remove all that is installed or made here.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -x .venv/bin/python ]]; then
    for folder in var var/*/; do
        if [[ -d "$folder/postgres" || -d "$folder/valkey" ]]; then .venv/bin/python -m billing_portal.embedded.stop "$folder"; fi
    done
fi
rm -rf .venv node_modules var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
find . -name __pycache__ -type d -prune -exec rm -rf {} +
find locale -name '*.mo' -delete 2>/dev/null || true
