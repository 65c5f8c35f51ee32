# Needs coreutils, git, make and Python 3.11; everything else is installed into .venv from the locks.
include .ci/versions

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3.11
BIN := .venv/bin
DATA ?= $(or $(STRONGROOM_HOME),.strongroom)
FILE ?=
PORT ?=
PROCESSES ?= 2
ARGS ?=

# The embedded instance's own variable is none of the store's settings, which refuse unknown ones.
unexport STRONGROOM_HOME

##@ Try it
.PHONY: demo up manage

demo: .venv/embedded ## One upload becomes one verified download; three forgeries fail (FILE=path)
	@exec $(BIN)/python -m config.embedded --stop-with-parent demo $(if $(FILE),"$(FILE)")

up: .venv/embedded ## Run the whole store on this machine until Ctrl-C (PORT=8420, DATA=.strongroom)
	@exec $(BIN)/python -m config.embedded --stop-with-parent up --data "$(DATA)" $(if $(PORT),--port $(PORT))

manage: .venv/embedded ## Run Django's command line on the running store (ARGS='changepassword admin')
	@test -f "$(DATA)/env" || { echo 'There is no instance in $(DATA) yet: make up' >&2; exit 1; }
	@data=$$(realpath "$(DATA)") && STRONGROOM_ENV_FILE="$$data/env" $(BIN)/python manage.py $(ARGS)

##@ Work on it
.PHONY: check test bench format

check: .venv/dev ## Formatting, lint, types, dependency rules, migrations, API reference, production settings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DJANGO_SETTINGS_MODULE=tests.offline_settings $(BIN)/python manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=tests.offline_settings $(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	DJANGO_SETTINGS_MODULE=tests.production_settings $(BIN)/python manage.py check --deploy --fail-level WARNING

test: .venv/dev ## All tests, two files at a time (ARGS='-k name' narrows them, PROCESSES=0)
	$(BIN)/python -m pytest --numprocesses=$(PROCESSES) --dist=loadfile $(ARGS)

bench: .venv/dev ## This store beside its peers: rates, ratios, memory, profiles (ARGS='--rounds 5')
	PATH=$(CURDIR)/.cache/bin:$$PATH $(BIN)/python -m tests.bench $(ARGS)

format: .venv/dev ## Rewrite files as `make check` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

##@ Keep it
.PHONY: lock clean help

COMPILE = .cache/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

lock: .cache/uv/$(UV_VERSION) ## Lock the requirements again (UPGRADE=--upgrade takes newer versions)
	@$(COMPILE) $(UPGRADE) requirements/dev.in --output-file requirements/dev.txt
	@# uv keeps the versions that the output file has: starting from the largest lock, all agree.
	@for smaller in embedded server client; do \
	  cp requirements/dev.txt requirements/$$smaller.txt && \
	  $(COMPILE) requirements/$$smaller.in --output-file requirements/$$smaller.txt || exit 1; \
	done

clean: ## Remove what was installed or cached; instances and their data stay
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

help: ## This list
	@while IFS= read -r line; do case "$$line" in \
	'##@ '*) printf '\n%s\n' "$${line#\#\#@ }" ;; \
	[a-z]*': '*'## '*) printf '  make %-8s %s\n' "$${line%%:*}" "$${line##*\#\# }" ;; \
	esac; done < Makefile

# An environment is as its lock says when the stamp holds the lock's hash. dev.txt holds all of
# embedded.txt, so installing the first one serves both.
.PHONY: .venv/embedded .venv/dev

.venv/embedded .venv/dev:
	@lock=requirements/$(@F).txt; stamp=.venv/$(@F).stamp; \
	hash=$$($(PYTHON) -VV 2>/dev/null | cat - $$lock | sha256sum); \
	if [ "$$(cat $$stamp 2>/dev/null)" = "$$hash" ] && $(BIN)/python -c '' 2>/dev/null; then exit 0; fi; \
	$(PYTHON) -c '' || { echo 'Python 3.11 is needed: set PYTHON to it, as in: make PYTHON=/path/to/python3.11' >&2; exit 1; }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'This Python cannot make virtual environments. Debian and Ubuntu keep that apart: apt-get install python3.11-venv' >&2; \
	  echo '(or name another Python: make PYTHON=/path/to/python3.11)' >&2; exit 1; }; \
	echo "Installing $$lock into .venv; once, less than a minute …"; \
	$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv || exit 1; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: \
	  --require-hashes --requirement $$lock || exit 1; \
	if [ $(@F) = dev ]; then \
	  $(PYTHON) -VV | cat - requirements/embedded.txt | sha256sum > .venv/embedded.stamp; fi; \
	echo "$$hash" > $$stamp
	@install -m 755 client/checkout.sh $(BIN)/strongroom

.cache/uv/$(UV_VERSION):
	@rm -rf .cache/uv && $(PYTHON) -m venv .cache/uv
	@.cache/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@
