# Two commands matter: `make run` and `make test`. Everything else is for people who change the code.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.run: requirements/run.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: run
run: $(VENV)/.run ## Install what is missing, then serve (settings: ORCHESTRATOR_… in the environment)
	@exec $(BIN)/orchestrator serve

.PHONY: demo
demo: $(VENV)/.run ## Play the grouping example on a temporary instance
	@exec $(BIN)/orchestrator demo

.PHONY: test
test: $(VENV)/.dev ## Run all tests (needs nothing: Postgres comes with the dependencies)
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

.PHONY: check
check: $(VENV)/.dev ## Format, lint, types, import contracts, unused dependencies, migrations
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/deptry src

.PHONY: bench
bench: $(VENV)/.dev ## Messages per second, beside what Postgres itself can do (about 90 s)
	@$(BIN)/python -m benchmarks.ingest $(ARGS)

.PHONY: openapi
openapi: $(VENV)/.run ## Write openapi/orchestrator.yaml anew from the application
	@$(BIN)/orchestrator openapi > openapi/orchestrator.yaml

.PHONY: lock
lock: ## Re-resolve the pinned dependencies (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build --group dev pyproject.toml -c requirements/run.txt -o requirements/dev.txt
