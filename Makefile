# Two commands: `make demo` and `make test`. Both install what is missing and work again offline.
# `make browser` adds what the tests of the search page need (Debian and its relatives).
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

# Root needs no sudo, and may have none.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(SUDO) apt-get install --yes --no-install-recommends
BROWSER := tests/browser

.PHONY: demo test slow soak audit browser clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	$(BIN)/moviola demo

test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright --warnings
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --dist worksteal

slow: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m slow

# The long tier, with its figures kept and the page of reliability made of them.
soak: $(VENV)/.installed-dev
	MOVIOLA_RESULTS=benchmarks/results $(BIN)/python -m pytest -m slow \
		tests/library tests/pipeline tests/video
	$(BIN)/python benchmarks/reliability.py

# Known vulnerabilities of what is pinned, and licences that do not fit. Asks the JSON interface of
# pypi.org, which mirrors of packages alone lack: what cannot be asked about fails the audit.
audit: $(VENV)/.installed-audit
	$(BIN)/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip
	$(BIN)/pip-licenses --partial-match --fail-on="GNU Affero;GNU General Public License v3" \
		--ignore-packages moviola

# What the tests of the search page need. Without it they are skipped, and say so.
browser:
	command -v chromium || { $(SUDO) apt-get update && $(APT) chromium; }
	command -v npm || { $(SUDO) apt-get update && $(APT) nodejs npm; }
	$(MAKE) $(BROWSER)/node_modules/.package-lock.json

$(BROWSER)/node_modules/.package-lock.json: $(BROWSER)/package-lock.json
	cd $(BROWSER) && npm ci --no-audit --no-fund
	touch $@

clean:
	rm -rf $(BROWSER)/node_modules $(BROWSER)/screenshots
	rm -rf $(VENV) demo .pytest_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Torch goes in first and pinned: resolved freely it brings gigabytes of CUDA packages.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --constraint constraints.txt torch
	$(PIP) --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --constraint constraints.txt --editable ".[cloud,dev,finetune,llama,mteb,ocr,sentence-transformers,shots,speech,tensorboard,train]"
	touch $@

$(VENV)/.installed-audit: $(VENV)/.installed-dev
	$(PIP) --constraint constraints.txt --editable ".[audit]"
	touch $@
