# `make` lists what can be made. Everything is installed into .venv, nothing beside it.

PYTHON ?= python3
BIN := .venv/bin
# Each of the many processes of the tests would otherwise compile the library anew.
export PYTHONDONTWRITEBYTECODE :=
# uv installs in a fraction of pip's time; where it is not there, pip does. In CI only what runs is compiled, as it runs.
UV = $(shell command -v $(BIN)/uv || command -v uv)
INSTALL = $(if $(UV),$(UV) pip install -q $(if $(CI),,--compile-bytecode) --python $(BIN)/python,$(BIN)/python -m pip install -qq --disable-pip-version-check)
LAB_OPTIONS := --config=.lab/config.py $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB)

.DEFAULT_GOAL := help
.PHONY: help lab app report test test-all check thorough fuzz benchmark benchmark-browser benchmark-report benchmark-app \
	measure-audit measure-forecast data clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

lab: .venv/lab ## open JupyterLab on the workbench (more options: make lab LAB="--ip=0.0.0.0 --port=9000")
	$(BIN)/jupyter lab $(LAB_OPTIONS)

app: .venv/app ## the workbench and the lessons for people who do not code (more options: make app APP="--port=9000")
	$(BIN)/python -m marketable.app $(APP)

report: .venv/lab ## a report of the sample data: saved/report.html (of your own: make report REPORT="-p data=my.csv")
	$(BIN)/marketable report $(REPORT)

test: check ## lint, types, imports, notebooks, and the everyday tests
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

test-all: check ## these with more random cases, and the slow tests: browser, app, reports, sweeps, notebooks
	HYPOTHESIS_PROFILE=complete $(BIN)/python -m pytest -q -n 2 --dist loadgroup --no-loadscope-reorder

check: .venv/test
	$(BIN)/ruff check lib tests notebooks
	$(BIN)/ruff format --check lib tests notebooks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/nbstripout --verify --keep-id notebooks/*.ipynb notebooks/lessons/*.ipynb

thorough: .venv/test ## the random tests with 3,000 cases each instead of 15 (about an hour)
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -q -m "not browser"

fuzz: .venv/fuzz ## look for files that break a reader, a minute each (longer: make fuzz FUZZ="-max_total_time=600")
	for reader in tables known touches export portal plan mapping figures; do \
		$(BIN)/python tests/fuzz.py $$reader -max_total_time=60 $(FUZZ) || exit 1; done

benchmark: .venv/bench ## decide and what-ifs against the same jobs in Polars, DuckDB and pandas
	$(BIN)/python tests/benchmark.py $(BENCHMARK)
	$(BIN)/python tests/benchmark_what_if.py $(BENCHMARK)

benchmark-browser: .venv/test ## from the click on a switch to the new pictures, in headless Chromium
	$(BIN)/python tests/benchmark_browser.py

benchmark-report: .venv/test ## one report by the command, from its start to its end
	$(BIN)/python tests/benchmark_report.py

benchmark-app: .venv/test ## twenty people open the app at once: first chart, flip to picture, memory
	$(BIN)/python tests/benchmark_app.py $(BENCHMARK)

measure-audit: .venv/test ## how well an audit finds switches (other portals: MEASURE="--touches 1000 --by-hand 0.1 0.15 --bulk 2")
	$(BIN)/python tests/measure_audit.py $(MEASURE)

measure-forecast: .venv/measure ## how well a forecast tells what comes, beside others (MEASURE="--accounts 300 --first 5000")
	$(BIN)/python tests/measure_forecast.py $(MEASURE)

data: .venv/lab ## write the made-up files in data/ anew
	$(BIN)/python -m marketable.samples.files data

clean: ## remove the environment and what tools left behind
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis lib/*.egg-info
	rm -rf .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment that grows: each stamp is what has been installed into it for sure. What an extra needs comes with it in
# one go: each installation looks through all that is there.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv

.venv/lab: requirements.txt pyproject.toml | $(BIN)/python
	$(INSTALL) -r requirements.txt
	@touch $@

EXTRAS = $(@F)
.venv/spark .venv/measure: EXTRAS = test $(@F)
.venv/app .venv/test .venv/spark .venv/measure .venv/fuzz .venv/bench: requirements.txt pyproject.toml | $(BIN)/python
	$(INSTALL) -r requirements.txt $(foreach extra,$(EXTRAS),-e '.[$(extra)]')
	@touch .venv/lab $(EXTRAS:%=.venv/%)
