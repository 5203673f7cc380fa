# `make demo` and `make test` do all the set-up themselves; they need Python >= 3.11, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test fuzz faults lint check format bench docs lock clean

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q src
	touch $@

setup: $(STAMP)

demo: $(STAMP)
	$(BIN)/escudo demo

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist worksteal

# Random logs, archives, YAML, times and SPL: a quarter of an hour at most.
FUZZ_EXAMPLES ?= 3000
fuzz: $(STAMP)
	ESCUDO_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) timeout 900 $(BIN)/python -m pytest -n auto --dist worksteal tests/fuzz

# Kills, and a full disk, at every call that changes a file of a lake: the suite tries some of them.
faults: $(STAMP)
	ESCUDO_FAULTS=long $(BIN)/python -m pytest -n auto --dist worksteal tests/faults

lint: $(STAMP)
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow and not spark"

format: $(STAMP)
	$(BIN)/ruff format src tests benchmarks docs
	$(BIN)/ruff check --fix src tests benchmarks docs

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
