# Everything here sets up what it needs: only Python 3.11 or newer, git and make must be there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ADDRESS ?= 127.0.0.1
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help run test check format knowledge bench lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.run: requirements.txt
	@test -x $(BIN)/pip || sh .ci/venv $(PYTHON) $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt
	@test -x $(BIN)/pip || sh .ci/venv $(PYTHON) $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.run

run: $(VENV)/.run ## serve on http://127.0.0.1:8000 (development settings, SQLite)
	@DEBUG=1 $(BIN)/python manage.py prepare
	@echo "Whybounce serves on http://$(ADDRESS):$(PORT)/ (stop with Ctrl-C)"
	@DEBUG=1 exec $(BIN)/granian --interface asginl --host $(ADDRESS) --port $(PORT) --no-ws --log-level warning config.asgi:application

test: $(VENV)/.dev ## all tests: SQLite, and PostgreSQL and a browser where there are any
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh tests/run.sh

check: $(VENV)/.dev ## lint, format, types, migrations, deployment settings, knowledge files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	DEBUG=1 $(BIN)/mypy whybounce knowledge troubleshoot api mailroom logs config
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run
	SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))')" ALLOWED_HOSTS=example.org $(BIN)/python -W error manage.py check --deploy --fail-level WARNING
	$(BIN)/python -m whybounce.yaml_knowledge knowledge/data

format: $(VENV)/.dev ## put all Python into one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

knowledge: $(VENV)/.run ## check the knowledge files
	$(BIN)/python -m whybounce.yaml_knowledge knowledge/data

bench: $(VENV)/.dev ## measure speed, as ratios
	for part in reading lines search snapshot next_step accuracy; do DEBUG=1 $(BIN)/python -m bench.$$part; done

lock: ## requirements*.in -> requirements*.txt, exact versions with hashes
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.txt
	$(VENV)/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements-dev.in -o requirements-dev.txt

clean: ## remove what this Makefile made (not the database)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache staticfiles
