# The words a person types. Each sets up what it needs, so each works as the first one in a fresh checkout.
#
#   make demo       crawl a small local press in four rounds and see what it rewrote
#   make crawl      crawl the feeds of feeds.opml       (CONTACT=mailto:you@example.org says who you are)
#   make browse     look at the archive in a browser    (ARCHIVE=demo.db for the demo's)
#   make test       run every test (those in a browser where there is one; .ci/run installs it)
#   make lint       types and style
#   make test-next  the pages' tests on the coming Datasette
#   make fuzz       look for input that breaks it       (TARGET=page SECONDS=600 for one of them, longer)
#   make bench      measure what the README claims  (BENCH=crawl for one)
#   make pictures   photograph the demo's pages for the README
#   make lock       renew the lock files from pyproject.toml

PYTHON ?= python3
ARCHIVE ?= archive.db
CONTACT ?= $(REDLINE_CONTACT)
BENCH ?= startup extract crawl archive diff "schedule --quick" "browse --versions 30000" changes/score
BIN := .venv/bin
SECONDS ?= 60
DATASETTE_NEXT := 1.0a41

.PHONY: help demo crawl browse test test-next lint fuzz bench pictures lock clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

# The lock file and the package decide what the environment holds: it is renewed when either changes.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Redline needs Python 3.11 or newer; say which with: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "Python has no venv module; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "setting up .venv (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.lock
	@echo "setting up the tools for tests (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

.venv/ready-bench: .venv/ready-dev requirements-bench.lock
	@echo "setting up what is measured beside ours (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.lock
	@touch $@

.venv/ready-fuzz: .venv/ready-dev requirements-fuzz.lock
	@echo "setting up the fuzzer (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-fuzz.lock
	@touch $@

demo: .venv/ready
	@$(BIN)/python -m demo

crawl: .venv/ready
	@test -e $(ARCHIVE) || $(BIN)/redline --archive $(ARCHIVE) import feeds.opml
	@REDLINE_CONTACT="$(CONTACT)" $(BIN)/redline --archive $(ARCHIVE) crawl -v

browse: .venv/ready
	@$(BIN)/redline --archive $(ARCHIVE) serve

test: .venv/ready-dev
	@$(BIN)/python -m pytest $(TESTS)

# The pages run on the coming Datasette too; it has an environment of its own.
.venv-next/ready: requirements.lock requirements-dev.lock pyproject.toml
	@test -x .venv-next/bin/python || $(PYTHON) -m venv .venv-next
	@echo "setting up .venv-next with Datasette $(DATASETTE_NEXT) (once) ..."
	@.venv-next/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock -r requirements-dev.lock
	@.venv-next/bin/python -m pip install --quiet --disable-pip-version-check datasette==$(DATASETTE_NEXT)
	@.venv-next/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

test-next: .venv-next/ready
	@.venv-next/bin/python -m pytest tests/browse

pictures: .venv/ready-dev
	@$(BIN)/python docs/pictures.py

lint: .venv/ready-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# One process a target: a find ends it, and the next ones are searched all the same.
fuzz: .venv/ready-fuzz
	@failed=; for target in $(or $(TARGET),$$($(BIN)/python -m fuzz --list)); do \
		echo "== $$target"; $(BIN)/python -m fuzz $$target --seconds $(SECONDS) || failed="$$failed $$target"; \
	done; test -z "$$failed" || { echo "found something:$$failed; how it becomes a test: CONTRIBUTING.md, Fuzzing"; exit 1; }

bench: .venv/ready-bench
	@set -e; for one in $(BENCH); do set -- $$one; script=bench/$$1.py; shift; echo "== $$script $$*"; $(BIN)/python $$script $$*; done

# What does not install beside Redline's own needs, for bench/crawl.py.
.venv-peers/ready:
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check newspaper4k news-please
	@touch $@

lock: .venv/ready-dev
	@$(BIN)/uv pip compile --quiet --universal --no-annotate --no-header --no-emit-index-url --python-version 3.11 pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --no-annotate --no-header --no-emit-index-url --python-version 3.11 --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --universal --no-annotate --no-header --no-emit-index-url --python-version 3.11 --group bench --constraint requirements.lock --constraint requirements-dev.lock --output-file requirements-bench.lock
	@$(BIN)/uv pip compile --quiet --universal --no-annotate --no-header --no-emit-index-url --python-version 3.11 --group fuzz --constraint requirements-dev.lock --output-file requirements-fuzz.lock

clean:
	rm -rf .venv .venv-next .venv-peers build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis bench/out fuzz/corpus fuzz/out
