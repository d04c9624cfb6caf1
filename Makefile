# make check: all that a change must pass. make setup once before it.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup check format lint types test cases wheel clean

setup:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[dev]'

check: lint types test

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

test:
	$(BIN)/python -m pytest --quiet

# Rewrites what the golden cases expect. Read the difference before you commit it.
cases:
	UPDATE=1 $(BIN)/python -m pytest --quiet tests/test_cases.py tests/test_docs.py

wheel:
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache
