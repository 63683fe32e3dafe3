# Each target sets itself up: python3.11+ with venv and pip is enough; uv is used where it is installed.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

unexport PYTHONDONTWRITEBYTECODE  # tests start many processes: each would compile all of its modules again

.PHONY: demo test test-fast chaos test-browser test-engines check format lock bench clean

demo: .venv/demo  ## a local Slack in the browser with a living example
	$(BIN)/labcoat demo

test: .venv/ready  ## every test, on SQLite and PostgreSQL
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --ignore=tests/browser --ignore=tests/engines

FAST := domain words stats slack/views

test-fast: .venv/ready  ## domain, words, statistics and Slack views, without replays; under 40 seconds
	$(BIN)/python -m pytest -q -n 2 --ignore=tests/stats/test_replay.py $(FAST:%=tests/%) $(FAST:%=src/labcoat/%)

chaos: .venv/ready  ## the heavy proofs in their full size; takes about two hours
	$(BIN)/python -m pytest -q --full tests/chaos tests/proofs/warehouse/test_generated.py tests/proofs/warehouse/test_rows_by_hand.py

test-browser: .venv/ready  ## the sandbox's page and the demo in a real browser; needs Debian's chromium
	$(BIN)/python -m pytest -q tests/browser

test-engines: .venv-engines/ready  ## the engines whose drivers are extras; needs Java 17 or later
	.venv-engines/bin/python -m pytest -q tests/engines

check: .venv/ready  ## format, lint, import rules, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

format: .venv/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/ready  ## each script prints one JSON line
	for script in benchmarks/*.py; do PYTHONPATH=. $(BIN)/python $$script || exit 1; done

COMPILE = uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11 pyproject.toml

lock:  ## needs uv; the two others start from requirements.lock, so all three agree wherever the drivers allow it
	$(COMPILE) --extra dev -o requirements.lock
	cp requirements.lock requirements-demo.lock
	$(COMPILE) --extra checkout -o requirements-demo.lock
	cp requirements.lock requirements-engines.lock
	$(COMPILE) --all-extras -o requirements-engines.lock

# .venv/demo is Labcoat and what it imports; .venv/ready adds the developers' tools to the same environment.
.venv/demo: requirements-demo.lock pyproject.toml
.venv/ready: requirements.lock pyproject.toml
.venv-engines/ready: requirements-engines.lock pyproject.toml
.venv/demo .venv/ready .venv-engines/ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Labcoat needs Python 3.11 or later: make $(MAKECMDGOALS) PYTHON=python3.11'; exit 1; }
ifdef UV
	test -x $(@D)/bin/python || uv venv -q --python $(PYTHON) $(@D)
	uv pip install -q --python $(@D)/bin/python --require-hashes -r $<
	uv pip install -q --python $(@D)/bin/python --no-deps --no-build-isolation -e .
else
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip --version >/dev/null 2>&1 || $(@D)/bin/python -m ensurepip >/dev/null  # uv made it, and is gone
	$(@D)/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-compile --require-hashes -r $<
	$(@D)/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	$(@D)/bin/python -m compileall -qq -j 0 -x '/(tests|pip|setuptools)/' $(@D)/lib || true  # on all cores, where pip uses one
	touch $@

clean:
	rm -rf .venv .venv-engines .demo dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
