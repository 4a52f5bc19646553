PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TESTED := $(VENV)/.tested
RIVALS := benchmarks/.venv

.PHONY: demo test lab check bench clean help

help:  ## what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

$(TESTED): $(INSTALLED)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[test,parquet]"
	touch $@

demo: $(INSTALLED)  ## the main job on practice systems: no account, nothing to set up
	$(BIN)/integrator demo --headless

lab: $(INSTALLED)  ## JupyterLab with the first example notebook
	$(BIN)/jupyter lab example_notebooks/01_lead_sync.ipynb

test: $(TESTED)  ## all tests, the example notebooks included
	$(BIN)/python -m pytest

check: $(TESTED)  ## style, types, import ladder
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_house.py

$(RIVALS): benchmarks/rivals.txt
	$(PYTHON) -m venv $(RIVALS)
	$(RIVALS)/bin/python -m pip install --quiet -r benchmarks/rivals.txt
	touch $@

bench: $(TESTED) $(RIVALS)  ## speed of a sync into PostgreSQL beside the limit and other tools, up to 1,000,000 rows
	$(BIN)/python benchmarks/bench.py --rivals $(RIVALS)/bin/python

clean:  ## remove what was built here
	rm -rf $(VENV) $(RIVALS) dist build
