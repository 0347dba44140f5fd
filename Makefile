# The commands of the portal. Each works from a bare checkout: what is missing is installed first.

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
VENV := .venv/bin
export PYTHON PORT

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests demo test check bench faults bite lock test-stripe clean

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## install everything the portal needs
	@scripts/setup.sh

setup-tests:
	@scripts/setup.sh tests

demo: setup ## start everything with demo data; PORT=8000, FRESH=1 starts anew, DEMO_NOW=2027-01-05 lives on until then
	@$(VENV)/python -m billing_portal.demo

test: setup-tests ## every check and every test, quick ones first
	@$(VENV)/python scripts/test.py all

check: setup ## lint, format, types, import contracts, migrations, check --deploy
	@$(VENV)/python scripts/test.py checks

bench: setup-tests ## the benchmarks; ARGS="ledger web" picks some
	@$(VENV)/python -m bench $(ARGS)

faults: setup-tests ## the fault plan against real processes; ARGS="--seeds 500 --start 1000"
	@$(VENV)/python -m tests.faults $(ARGS)

bite: setup-tests ## planted bugs: each guard removed in turn, and caught; ARGS="signature refund" picks some
	@$(VENV)/python -m tests.bite.run $(ARGS)

test-stripe: setup-tests ## the payment tests against Stripe itself; needs STRIPE_SECRET_KEY=sk_test_…
	@$(VENV)/python scripts/test.py stripe

lock: setup ## lock the newest allowed versions of Python and front-end packages
	@scripts/lock.sh

clean: ## stop the embedded servers, remove what was installed and made; the demo's data too
	@scripts/clean.sh
