# Two commands matter: `make run` and `make test`. Everything else is for people who change the code.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# A lock is complete: pip installs what it says and resolves nothing.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
# Each has a package.json of its own; node and npm are Python packages of requirements/dev.txt.
NODE   := tests/contract/node tests/browser
PACKAGES := $(NODE:%=%/node_modules/.installed)
# Profiles of the large store that `make bench` asks.
PROFILES ?= 1000000

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.run: requirements/run.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --require-hashes -r requirements/run.txt
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

# The official Node SDK for the contract tests; what drives a browser and judges pages.
$(PACKAGES): %/node_modules/.installed: %/package.json %/package-lock.json | $(VENV)/.dev
	@cd $* && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --loglevel=error --ignore-scripts --no-audit --no-fund >/dev/null
	@touch $@

.PHONY: run
run: $(VENV)/.run ## Install what is missing, then serve (settings: ORCHESTRATOR_… in the environment)
	@exec $(BIN)/orchestrator serve

.PHONY: demo
demo: $(VENV)/.run ## Play the grouping example on a temporary instance
	@exec $(BIN)/orchestrator demo

.PHONY: test
test: $(VENV)/.dev $(PACKAGES) ## Run all tests (needs nothing: Postgres and Node come with the dependencies)
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev ## Look long for what the tests did not find; prove 100,000 messages (about 1 h)
	@$(BIN)/python -m pytest -m soak $(ARGS)
	@$(BIN)/orchestrator prove --messages 100000

.PHONY: check
check: $(VENV)/.dev ## Format, lint, types, import contracts, unused dependencies, migrations
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/deptry src

.PHONY: bench
bench: $(VENV)/.dev ## The first conversation; messages per second; recognition in a store of PROFILES=1000000; imports; timers; callbacks (about 9 min)
	@$(BIN)/python -m benchmarks.first_conversation
	@$(BIN)/python -m benchmarks.ingest $(ARGS)
	@$(BIN)/python -m benchmarks.identity --profiles $(PROFILES)
	@$(BIN)/python -m benchmarks.imports
	@$(BIN)/python -m benchmarks.sweep
	@$(BIN)/python -m benchmarks.callbacks

.PHONY: openapi
openapi: $(VENV)/.run ## Write openapi/orchestrator.yaml anew from the application
	@$(BIN)/orchestrator openapi > openapi/orchestrator.yaml

.PHONY: lock
lock: ## Re-resolve the pinned dependencies (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build --group dev pyproject.toml -c requirements/run.txt --override requirements/overrides.txt -o requirements/dev.txt
	@$(MAKE) --silent $(VENV)/.dev
	for folder in $(NODE); do (cd $$folder && PATH="$(CURDIR)/$(BIN):$$PATH" npm install --package-lock-only --ignore-scripts --loglevel=error) || exit; done
