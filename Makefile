# Needs make and Python 3.11 to 3.13, nothing else. uv is used where it is found; `make setup UV=` goes without.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint check format docs map proofs proof wheel lock distclean

# The first interpreter that really runs and fits: a version manager's shim may do neither.
FITS := import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	if $$p -c '$(FITS)' >/dev/null 2>&1; then echo $$p; break; fi; done)
UV ?= $(shell command -v uv)
BIN := .venv/bin
INSTALL := $(if $(UV),$(UV) pip install -q --compile-bytecode -p $(BIN)/python,$(BIN)/python -m pip install -q)
# Each process that a test or a proof starts would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## show this list
	@sed -nE 's/^([a-z]+):.*## /  make \1\t/p' Makefile | expand -t 20

setup: .venv/ready ## install everything into .venv from the lock, hashes checked
	@echo "ready: $(BIN)/swarm"

demo: .venv/ready ## get the embedded model, run an example with it, check what it found
	@$(BIN)/python -m examples.demo

test: .venv/ready ## run the whole suite, in two processes
	@$(BIN)/python -m pytest -n 2 --dist loadscope $(ARGS)

lint: .venv/ready ## check format, lint, types and imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@for folder in examples/[a-z]*/; do $(BIN)/mypy "$$folder" || exit 1; done
	@$(BIN)/pyright
	@$(BIN)/lint-imports

check: lint test ## all that must pass before a change goes in

format: .venv/ready ## write the code as the formatter wants it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

map: .venv/ready ## draw the rooms and what each stands on into docs/map.svg
	@$(BIN)/python docs/map.py

docs: .venv/ready ## write the pages that are made from the code
	@$(BIN)/python docs/generate.py

proofs: .venv/ready ## run the short proofs and write PROOFS.md
	@$(BIN)/python -m benchmarks.proofs

proof: .venv/ready ## run one proof: make proof NAME
	@if [ -z "$(NAME)" ]; then echo "which one? make proof NAME; the names are the files of benchmarks/"; exit 2; fi
	@$(BIN)/python -m benchmarks.$(NAME) $(ARGS)

# The NAME of `make proof NAME` reaches make as a target of its own.
ifeq (proof,$(firstword $(MAKECMDGOALS)))
NAME := $(word 2,$(MAKECMDGOALS))
.PHONY: $(NAME)
$(NAME):
	@:
endif

wheel: .venv/ready ## build the wheel and the source archive into dist/
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist .

lock: ## resolve the dependencies again and write both locks (needs uv)
	$(UV) pip compile pyproject.toml $(LOCKED) -o requirements.lock
	$(UV) pip compile pyproject.toml $(LOCKED) --group dev -c requirements.lock -o requirements-dev.lock
LOCKED := -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header

distclean: ## remove .venv and what was built; runs and models stay
	rm -rf .venv dist build .mypy_cache .ruff_cache .import_linter_cache

.venv/ready: requirements-dev.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "no Python 3.11 to 3.13 that can make a virtual environment was found: install one (on Debian"; \
		echo "python3 and python3-venv), or name it: make setup PYTHON=/path/to/python3.12"; exit 2; fi
	@echo "setting up .venv from requirements-dev.lock (once; some minutes)"
	@$(if $(UV),$(UV) venv -q --allow-existing -p $(PYTHON) .venv,$(PYTHON) -m venv .venv)
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@
