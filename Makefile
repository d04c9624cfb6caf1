# make check: all that a change must pass. make setup once before it.
PYTHON ?= python3
OLDEST_PYTHON ?= 3.11
BIN := .venv/bin
TEST := python -m pytest --quiet --numprocesses auto

# What is pinned, for whoever works on ftctl, for its users' runs and for its releases.
LOCKS := requirements-dev.txt $(wildcard ci/requirements*.txt) release/tools.txt

# Not an archive of sources: that would run as it is built.
FROM_LOCK := pip install --quiet --require-hashes --only-binary :all: --requirement

.PHONY: setup check format lint types test cases lock newest oldest wheel dist notes try sbom audit known clean

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

# A release, step by step (docs/release.md). What stands in dist/ is made from a commit alone: from
# $REVISION, read by the shell and not by make, or the last one.
dist: .venv-build/done
	bash release/build.sh "$${REVISION:-HEAD}" dist

notes:
	mkdir -p dist
	$(PYTHON) -I release/notes.py "$${REVISION:-HEAD}" > dist/notes.md

try: ci/requirements.txt
	$(PYTHON) -m venv --clear .venv-try
	.venv-try/bin/$(FROM_LOCK) ci/requirements.txt
	.venv-try/bin/pip install --quiet --no-index --no-deps dist/ftctl-*.whl
	.venv-try/bin/pip check
	bash release/try.sh .venv-try/bin/python

sbom: .venv-tools/done .venv-runtime/done
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct "$${REVISION:-HEAD}") .venv-tools/bin/python -I \
	    release/sbom.py --environment .venv-runtime/bin/python --lock ci/requirements.txt \
	    --wheel dist/ftctl-*.whl > dist/sbom.cdx.json

# Asks services on the network: which pinned releases are known to be vulnerable, and whether the
# workflows' pins are what they say that they are.
audit: known
	.venv-tools/bin/zizmor --persona auditor .github action.yml

known: .venv-tools/done
	@status=0; for lock in $(LOCKS); do echo "$$lock:"; \
	    .venv-tools/bin/pip-audit --strict --disable-pip --require-hashes $(AUDIT) \
	        --requirement "$$lock" || status=1; done; exit $$status

.venv-build/done: ci/requirements-build.txt
.venv-runtime/done: ci/requirements.txt
.venv-tools/done: release/tools.txt

.venv-%/done:
	$(PYTHON) -m venv --clear .venv-$*
	.venv-$*/bin/$(FROM_LOCK) $<
	touch $@

clean:
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache
