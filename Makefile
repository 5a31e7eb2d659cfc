# Every chore of the project; `make help` lists them. Each target does its own set-up.
PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
BIN := .venv/bin
CODE := penstock blocks tasks flows deployments sandbox

.PHONY: help setup demo test lint types check bench lock clean
.DEFAULT_GOAL := help

help: ## List what make can do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/installed ## Create .venv with the locked dependencies

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Penstock needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

.venv/installed: $(filter .uv/bin/uv,$(UV)) requirements.lock pyproject.toml
	$(UV) venv --quiet --allow-existing --python $(PYTHON) --no-python-downloads .venv
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: setup ## Run the main job on the embedded stack: sandbox API -> lake -> DuckDB -> gold tables
	$(BIN)/penstock demo

test: setup ## Run all tests
	$(BIN)/python -m pytest -n 4

lint: setup ## Check style, formatting and the import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup ## Check types
	$(BIN)/mypy

check: lint types ## Everything that needs no test run
	$(BIN)/penstock validate
	$(BIN)/penstock compile --check

bench: setup ## Measure Penstock beside the bare mechanisms
	$(BIN)/python -m benchmarks

lock: $(filter .uv/bin/uv,$(UV)) ## Resolve dependencies anew into requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --group dev pyproject.toml --output-file requirements.lock

clean: ## Remove what builds and checks leave behind; data stays: `rm -r .penstock` removes the local lake and warehouse
	rm -rf .venv .uv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
