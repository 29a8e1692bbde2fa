# The whole surface for a contributor; CI runs these and nothing else. `make help` lists them.
# Every target makes .venv first where it is missing or older than the lock.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Compiled modules are kept whatever the caller's environment says: without them each of the hundreds of processes that a demo or a test starts
# compiles its libraries anew, which is half of what importing TensorFlow takes.
unexport PYTHONDONTWRITEBYTECODE

WORKERS ?= 2
READY := .venv/.ready
BIN := .venv/bin
PYTEST := $(BIN)/pytest
COMPILE := $(BIN)/python -m scripts.compile

.PHONY: help setup demo test test-fast containers soak judge realdata bench lint format compile compile-check lock component

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(READY) ## Make .venv from the hashed lock, with the ratchet command in it
	@echo "ready: $(BIN)/ratchet"

$(READY): requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	@scripts/setup

demo: $(READY) ## Four months of card transactions through the whole loop (about two minutes)
	@$(BIN)/python -m scripts.demo

test: $(READY) ## Every test but the soak and what needs containers
	@$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not (soak or containers)"

test-fast: $(READY) ## What fits in a minute: no pipelines, no large data, nothing slow
	@$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder --hypothesis-profile fast -m "not (soak or slow or pipeline or realdata or containers)" --durations 5

containers: $(READY) ## Build the images, say what they weigh, run what needs them (minutes); BASE= another base image
	@scripts/engine run $(BIN)/python -m scripts.containers

soak: $(READY) ## Long random runs: races, kills, damages
	@$(PYTEST) -s -m soak tests

judge: $(READY) ## How often the judge is wrong and how soon it is right (minutes); fails when a line does not hold
	@$(BIN)/python -m scripts.judge

realdata: $(READY) ## Ten tasks on public data sets through the pipelines, beside what is published (minutes); DATA="adult ecg5000" for these
	@$(BIN)/python -m scripts.realdata $(DATA)

BENCHES := pipeline door drift windows training scoring gateway

bench: $(READY) ## What all costs, beside what is usual (half an hour; QUICK=1 shorter; ONLY="door drift" for these); fails when a reach does not hold
	@failed=; for part in $(or $(ONLY),$(BENCHES)); do \
		printf '\n## %s\n\n' "$$part"; \
		case $$part in gateway) module=bench ;; *) module=bench_$$part ;; esac; \
		QUICK=$(QUICK) $(BIN)/python -m scripts.$$module || failed="$$failed $$part"; \
	done; test -z "$$failed" || { echo "bench: does not hold:$$failed"; exit 1; }

lint: $(READY) ## Style, types, floors, generated files
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo
	@$(COMPILE) --check

format: $(READY) ## Sort imports, fix what can be fixed, format
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

compile: $(READY) ## Regenerate compiled/ and the components' READMEs
	@$(COMPILE)

compile-check: $(READY) ## Fail on any difference between the sources and what is generated from them
	@$(COMPILE) --check

component: $(READY) ## Scaffold a component: make component NAME=row_count STAGE=data_processing
	@$(BIN)/python -m scripts.new_component "$(NAME)" "$(STAGE)"

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(UPGRADE)

lock: $(READY) ## Remake requirements/ from pyproject.toml; UPGRADE=--upgrade takes newer versions
	@$(LOCK) pyproject.toml --all-extras --group dev -o requirements/dev.txt
	@$(LOCK) pyproject.toml --extra tabular --extra sources --extra delta --extra postgres -c requirements/dev.txt -o requirements/tabular.txt
	@$(LOCK) pyproject.toml --extra gateway --extra postgres -c requirements/dev.txt -o requirements/gateway.txt
	@$(LOCK) pyproject.toml --extra deep -c requirements/dev.txt -o requirements/deep.txt
	@echo uv | $(LOCK) - -c requirements/dev.txt -o requirements/bootstrap.txt
