# Bare `make` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: help demo test lint docs bench peers signal faults fuzz wheel clean

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

$(BIN)/monitor: pyproject.toml
	$(PYTHON) -m venv $(VENV) && $(BIN)/pip install --quiet -e '.[dev]' && touch $@

demo: $(BIN)/monitor ## Build the demo in ./leeway-demo and show what Leeway says
	$(BIN)/monitor demo

test: $(BIN)/monitor ## Run the test suite
	$(BIN)/pytest

lint: $(BIN)/monitor ## Format, lint, types and layers
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

docs: $(BIN)/monitor ## Write the generated reference pages anew
	$(BIN)/python -m monitor.config.documenting > docs/configuration.md

bench: $(BIN)/monitor ## Measure what Leeway costs beside other tools, write docs/benchmarks.md (twenty minutes)
	$(BIN)/python -m benchmarks

peers: ## Install the other tools that `make bench` measures, each in an environment of its own
	$(PYTHON) -m venv .peers/nannyml && .peers/nannyml/bin/pip install --quiet nannyml==0.13.1 statsmodels
	$(PYTHON) -m venv .peers/alibi && .peers/alibi/bin/pip install --quiet alibi-detect==0.13.0 'pyarrow<20'

signal: $(BIN)/monitor ## Measure false alarms and delays beside other tools, write docs/signal.md (half an hour)
	$(BIN)/python -m benchmarks.signal

faults: $(BIN)/monitor ## Kill, freeze and cut off real processes in every combination; 2,000 random histories (an hour)
	LEEWAY_FAULTS=all LEEWAY_HISTORIES=2000 $(BIN)/pytest tests/faults --timeout=3600

fuzz: $(BIN)/monitor ## Mutate configurations, stored bytes and names 10,000 times; new examples of every property (half an hour)
	LEEWAY_FUZZ=10000 $(BIN)/pytest -m hypothesis --timeout=3600

wheel: $(BIN)/monitor ## Build the wheel into dist/
	$(BIN)/python -m build --wheel

clean: ## Remove what the targets made
	rm -rf $(VENV) dist build leeway-demo .pytest_cache .mypy_cache .ruff_cache
