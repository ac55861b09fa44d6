# make demo   from a fresh machine to a finished closed-loop campaign with real DFT
# make serve  the pages of what the demo found, at http://127.0.0.1:8000 (PORT=… takes another port)
# make test   from a fresh machine to a passed test suite
# make test-all  the slow tests too: whole campaigns, killed workers and servers
# make docs   the documentation with the API reference, as pages in build/site
# make install, lint, types, check, clean
#
# Needs Python 3.11 to 3.13 and a C and C++ compiler; nothing else, and never root.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_DIR := .demo
PORT ?= 8000
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: demo serve test test-all docs install lint types check clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt gpaw_siteconfig.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "fermiloop needs Python 3.11 to 3.13, and $$($(PYTHON) --version) is not: set PYTHON=python3.12, for example."; exit 2; }
	@command -v g++ >/dev/null && command -v gcc >/dev/null || { echo "fermiloop builds GPAW with a C and C++ compiler, and none was found: install gcc and g++ (Debian: build-essential; macOS: xcode-select --install)."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) torch
	GPAW_CONFIG=$(CURDIR)/gpaw_siteconfig.py $(PIP) -e '.[dft,server,dev]'
	$(PIP) -e '.[embedded]' || $(PIP) --pre 'secantusdb>=0.7.0b3,<0.8' || echo "No embedded database can be installed here: before make demo, set FERMILOOP_MONGODB_URI to a MongoDB server of version 5.0 or later, such as mongodb://user:password@host:27017."
	@touch $@

demo: $(STAMP)
	@FERMILOOP_DATA_DIR=$(CURDIR)/$(DEMO_DIR) $(BIN)/fermiloop db start
	@FERMILOOP_DATA_DIR=$(CURDIR)/$(DEMO_DIR) $(BIN)/fermiloop db init
	@FERMILOOP_DATA_DIR=$(CURDIR)/$(DEMO_DIR) $(BIN)/fermiloop db load seed
	@FERMILOOP_DATA_DIR=$(CURDIR)/$(DEMO_DIR) $(BIN)/fermiloop campaign launch examples/pd-like.yaml --workers 2
	@FERMILOOP_DATA_DIR=$(CURDIR)/$(DEMO_DIR) $(BIN)/fermiloop campaign report pd-like
	@FERMILOOP_DATA_DIR=$(CURDIR)/$(DEMO_DIR) $(BIN)/fermiloop campaign report pd-like --html $(DEMO_DIR)/report

serve: $(STAMP)
	@test -d $(DEMO_DIR) || { echo "There is nothing to look at yet: make demo comes first."; exit 2; }
	@FERMILOOP_DATA_DIR=$(CURDIR)/$(DEMO_DIR) $(BIN)/fermiloop serve --port $(PORT)

test: $(STAMP)
	$(BIN)/python -m pytest -n 3 --dist loadfile -q -m "not slow"

test-all: $(STAMP)
	$(BIN)/python -m pytest -n 3 --dist loadfile -q

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell platform flows schemas db_init docs README.md CONTRIBUTING.md
	PYTHONPATH=.lint $(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

docs: $(STAMP)
	$(PIP) -q -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "The pages lie in build/site; open build/site/index.html."

check: lint types test-all

clean:
	-@test -x $(BIN)/fermiloop && FERMILOOP_DATA_DIR=$(CURDIR)/$(DEMO_DIR) $(BIN)/fermiloop db stop
	rm -rf $(VENV) $(DEMO_DIR) build dist *.egg-info
