# `make demo` and `make test` do all the set-up themselves; they need Python >= 3.11, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

WEB := src/escudo/serve/pages/static/manifest.json

.PHONY: setup web demo serve test fuzz faults lint audit check format bench docs lock clean

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q src
	touch $@

setup: $(STAMP)

# Scripts and styles of the pages. Node comes with the packages of $(STAMP).
web: $(WEB)
$(WEB): $(STAMP) $(wildcard web/*.*) $(shell find web/src -type f)
	$(BIN)/python web/build.py --check

demo: $(STAMP)
	$(BIN)/escudo demo

serve: $(STAMP) $(WEB)
	$(BIN)/escudo demo --serve

test: $(STAMP) $(WEB)
	$(BIN)/python -m pytest -n auto --dist worksteal

# Random logs, archives, YAML, times and SPL: a quarter of an hour at most.
FUZZ_EXAMPLES ?= 3000
fuzz: $(STAMP)
	ESCUDO_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) timeout 900 $(BIN)/python -m pytest -n auto --dist worksteal tests/fuzz

# Kills, and a full disk, at every call that changes a file of a lake: the suite tries some of them.
faults: $(STAMP)
	ESCUDO_FAULTS=long $(BIN)/python -m pytest -n auto --dist worksteal tests/faults

lint: $(STAMP)
	$(BIN)/ruff format --check src tests benchmarks docs web
	$(BIN)/ruff check src tests benchmarks docs web
	$(BIN)/mypy
	$(BIN)/lint-imports

# What an audit of the code's safety says: half a minute. docs/security.md has that of the packages.
audit: $(STAMP)
	$(BIN)/bandit -q -ll -c pyproject.toml -r src/escudo

check: lint
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow and not spark"

format: $(STAMP)
	$(BIN)/ruff format src tests benchmarks docs web
	$(BIN)/ruff check --fix src tests benchmarks docs web

bench: $(STAMP)
	$(BIN)/python -m benchmarks

docs: $(STAMP)
	$(BIN)/python -m docs.build

lock:
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	  --all-extras --group dev pyproject.toml requirements-build.in -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
