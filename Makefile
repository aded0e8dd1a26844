# Everything a person types. `make up` runs Encore here, `make test` proves it; both work from a fresh clone.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.12 >/dev/null 2>&1 && python3.12 -c '' 2>/dev/null && echo python3.12 || \
	(command -v python3.11 >/dev/null 2>&1 && python3.11 -c '' 2>/dev/null && echo python3.11) || echo python3)
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
# One worker more than cores: many a test waits for a process that it started.
TESTS := -p no:ape_test -p no:boa_test -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist worksteal
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help env up demo reset test lint types contracts audit gas mutants proofs suite coverage lock bench clean alerts indexer-long fuzz-api oracle-long oracle-accuracy api-long

help: ## List the commands.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

env: $(VENV)/installed ## Create the environment from the lock files.

$(VENV)/installed: requirements.lock package-lock.json pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
		{ echo "Encore needs Python 3.11 or 3.12; found $$($(PYTHON) --version 2>&1). Name one: make $(MAKECMDGOALS) PYTHON=…"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@if command -v npm >/dev/null; then npm install --loglevel=error --no-save --ignore-scripts --no-audit --no-fund; \
		else echo "no Node.js here: the local chain will be py-evm, which is slower, and conformance is not tested"; fi
	@touch $@

up: env ## Run the whole system here; Ctrl-C stops it.
	@exec encore up

demo: env ## The same, and show it living: listeners, launches, trades.
	@exec encore up --demo

reset: env ## Empty the data folder, to start over from block 0.
	@encore reset --yes

test: env lint types contracts suite coverage ## Lint, types and the whole suite.

lint: env ## Ruff, its formatter, the import rules.
	ruff check .
	ruff format --check .
	lint-imports

types: env ## mypy --strict on everything.
	mypy
	MYPYPATH=benchmarks mypy benchmarks

contracts: env ## The exported ABIs against the sources, and the contracts' own suite, on py-evm.
	ape run export_abis --check
	pytest -q -n auto tests/contracts

audit: env .build/proofs/installed ## The contracts' suite searched deeply, its coverage, the proofs, and a table of it all.
	python -m tests.contracts.audit

gas: bench-gas ## The gas of every operation of the contracts, beside the best known figures.

mutants: env ## The contracts' safeguards taken away one at a time: a test must fail for each.
	cd tests/contracts && python -m mutants

proofs: env .build/proofs/installed ## Proofs of the contracts' arithmetic, in an environment of their own.
	.build/proofs/bin/python -m tests.proofs.prove

.build/proofs/installed: tests/proofs/requirements.lock
	$(PYTHON) -m venv --clear .build/proofs
	VIRTUAL_ENV=.build/proofs $(BIN)/uv pip install --quiet --require-hashes -r $<
	@touch $@

suite: env ## Everything else, on the real EVM, SQLite and PostgreSQL.
	coverage erase
	pytest -q $(TESTS) --ignore=tests/contracts --cov --cov-report=

indexer-long: $(shell seq -f .build/indexer-long/%g 20) ## The indexer against 1 000 schedules of reorgs, 200 kills and 20 faulty runs, on each database; it goes on where it was interrupted.
	rm -r .build/indexer-long

.build/indexer-long/%: | env
	INDEXER_SEED=$* INDEXER_SCHEDULES=50 INDEXER_KILLS=10 pytest -q $(TESTS) --hypothesis-seed=$* \
		tests/indexer/test_schedules.py tests/indexer/test_kills.py tests/indexer/test_faulty_endpoints.py
	@mkdir -p $(@D) && touch $@

oracle-long: $(shell seq -f .build/oracle-long/%g 20) ## The oracle killed 200 times through faults, reorgs, fee spikes and restarts, on each database; it goes on where it was interrupted.
	rm -r .build/oracle-long

.build/oracle-long/%: | env
	ORACLE_SEED=$* ORACLE_KILLS=10 pytest -q $(TESTS) tests/oracle/test_exactly_once.py
	@mkdir -p $(@D) && touch $@

oracle-accuracy: env ## 32 simulated days on the Last.fm data set in the folder LASTFM=…, the chain right after each.
	ORACLE_LASTFM="$(LASTFM)" pytest -q $(TESTS) -s tests/oracle/test_simulation.py

api-long: env ## A thousand random trades on the real exchange, each as it was quoted or refused as told.
	API_TRADES=1000 pytest -q $(TESTS) tests/api/trading/test_random_trades.py

alerts: ## Prometheus' own check and tests of the alert rules; needs promtool (Debian's package prometheus).
	promtool check config deploy/prometheus/prometheus.yml
	promtool test rules deploy/prometheus/alerts_test.yml

fuzz-api: env ## Schemathesis over the whole OpenAPI: 1 000 examples an operation.
	python -m tests.api.fuzz --examples 1000

coverage: ## The branch coverage of the last `make suite`.
	coverage report

bench: $(patsubst benchmarks/bench_%.py,bench-%,$(wildcard benchmarks/bench_*.py)) ## Every benchmark; make bench-NAME runs one (ARGUMENTS="…").

bench-%: env
	PYTHONPATH=. python benchmarks/bench_$*.py $(ARGUMENTS)

lock: env ## Resolve pyproject.toml again into requirements.lock.
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet -o requirements.lock

clean: ## Remove the environment and every cache; keeps the data folder.
	rm -rf $(VENV) node_modules .build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
