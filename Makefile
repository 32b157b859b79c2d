# What people do often. `make` alone lists the targets.
# Set-up happens by itself, into .venv, and again only when pyproject.toml or constraints.txt changed.

# The first of these that is there and new enough (3.10 or later) makes the virtual environment;
# `make PYTHON=/path/to/python test` names another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python3.10 python3.13; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test faults lint format types contracts docs fuzz bench slides build wheel clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "kb needs Python 3.10 or later: install it, or call make PYTHON=/path/to/python"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	|| { echo "could not make $(VENV): on Debian, apt install python3-venv"; exit 2; }
	@echo "setting up $(VENV) with $$($(BIN)/python --version) (once; about two minutes)"
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all]' --group dev
	@touch $@

demo: $(READY) ## the main job on real content: list, show, search, reproduce, check, talk
	@KB=$(BIN)/kb sh scripts/demo.sh

test: $(READY) ## the tests
	$(BIN)/python -m pytest

faults: $(READY) ## kill, fill up and crowd the store many times; the counts are printed (half an hour)
	KB_FAULTS=200 KB_FAULTS_CHANGES=500 KB_FAULTS_HISTORIES=1000 \
	$(BIN)/python -m pytest -s tests/faults tests/library/test_convergence.py

lint: $(READY) types contracts ## style, types and the one-way-down import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## put the code into its format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports --no-cache

docs: $(READY) ## rewrite the parts of README and docs/ that are made from the code
	$(BIN)/cog -r README.md docs/*.md

fuzz: $(READY) ## 20,000 hostile inputs for everything that kb reads from others (about ten minutes of CPU)
	nice -n 10 $(BIN)/python -m tests.fuzz --count 20000 --keep build/fuzz

bench: $(READY) ## benchmarks against peers and bare floors (installs the peers into .venv-peers)
	$(BIN)/python -m benchmarks

# Marp's command line without the browser that it would bring along: one that is installed is used.
MARP := .venv-slides/node_modules/.bin/marp
$(MARP):
	@command -v npm >/dev/null || { echo "slides need npm: on Debian, apt install nodejs npm"; exit 2; }
	@echo "installing Marp's command line into .venv-slides (once)"
	@PUPPETEER_SKIP_DOWNLOAD=1 npm install --silent --no-fund --no-audit --prefix .venv-slides @marp-team/marp-cli

slides: $(READY) $(MARP) ## every shipped talk in every format, rendered and measured; pictures into docs/slides
	$(BIN)/python -m scripts.slides
	$(BIN)/python -m pytest -rs tests/talks/test_rendered.py

build: $(READY) ## claims.db from citations/ and the recorded runs
	$(BIN)/kb library build

wheel: $(READY) ## build the wheel and try it in an empty environment
	$(BIN)/python -m pytest tests/test_wheel.py

clean: ## remove the virtual environment and what tools left
	rm -rf $(VENV) .venv-peers .venv-slides build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
