# make check: all that a change must pass. make setup once before it.
PYTHON ?= python3
OLDEST_PYTHON ?= 3.11
BIN := .venv/bin
TEST := python -m pytest --quiet --numprocesses auto

.PHONY: setup check format lint types test cases lock newest oldest wheel clean

setup:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .

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
	$(BIN)/$(TEST)

# Rewrites what the golden cases expect. Read the difference before you commit it.
cases:
	UPDATE=1 $(BIN)/python -m pytest --quiet tests/test_cases.py tests/test_docs.py

# What is pinned, as new as the ranges of pyproject.toml allow. `make setup` installs the first of
# these files, ci/install.py the others.
lock: $(BIN)/uv
	bash ci/lock.sh $(BIN)/uv $(OLDEST_PYTHON) --upgrade

# The tests with what a new install gets today, and with the oldest that the ranges allow.
newest:
	$(PYTHON) -m venv --clear .venv-newest
	.venv-newest/bin/pip install --quiet --editable '.[test]'
	.venv-newest/bin/$(TEST)

oldest: $(BIN)/uv
	$(BIN)/uv venv --quiet --clear --python $(OLDEST_PYTHON) .venv-oldest
	$(BIN)/uv pip install --quiet --python .venv-oldest --resolution lowest-direct \
	    --editable '.[test]'
	.venv-oldest/bin/$(TEST)

$(BIN)/uv: | $(BIN)/pip
	$(BIN)/pip install --quiet 'uv>=0.9,<1'

$(BIN)/pip:
	$(PYTHON) -m venv .venv

wheel:
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache
