# Everything runs from a fresh clone: `make demo`, `make test`, `make check`.
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .venv-uv/bin/uv)
RUN := .venv/bin
export UV_PROJECT_ENVIRONMENT := .venv
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: setup spark demo test quick check docs pictures pythons mutants faults audit licences clean

setup: .venv/.synced

.venv/.synced: uv.lock pyproject.toml
	@command -v uv >/dev/null 2>&1 || test -x .venv-uv/bin/uv || \
	  (echo "installing uv $(UV_VERSION) into .venv-uv" && python3 -m venv .venv-uv && .venv-uv/bin/pip install -q uv==$(UV_VERSION))
	@echo "installing the locked packages into .venv"
	@$(UV) sync --frozen --compile-bytecode -q
	@touch $@

spark: setup   # 450 MB that only a cluster's users and tests need
	@$(UV) sync --frozen --inexact --extra spark --compile-bytecode -q

demo: setup
	@$(RUN)/churn demo

test: spark
	$(RUN)/python -m pytest -n 2 --dist worksteal $(ARGS)

quick: setup   # without the slow ones: whole nights, Spark, the documentation's commands
	$(RUN)/python -m pytest -n 2 --dist worksteal -m "not slow" $(ARGS)

check: setup
	$(UV) lock --check -q
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports --no-cache

docs: setup   # the pages of docs/ in site/; a link that leads nowhere is an error
	$(RUN)/zensical build --strict --clean

pictures: setup   # of the report and of MLflow, taken in a Chromium on the path (or CHURN_CHROMIUM)
	$(RUN)/python -m benchmarks.screenshots

pythons: setup   # install and run under every other Python that is found or can be fetched
	UV=$(UV) bash .ci/pythons $(ARGS)

mutants: spark   # for half an hour: small faults that the tests should notice; ARGS="features/labels.py --minutes 5" for some
	$(RUN)/python -m benchmarks.mutants $(ARGS)

faults: setup   # eight minutes on two free cores: every change on disk and in the database fails once; counts
	$(RUN)/python -m tests.faults.sweep

audit: setup
	$(UV) export --frozen --no-emit-project -q -o .venv/requirements.txt
	$(RUN)/python .ci/audit.py .venv/requirements.txt

licences: setup   # docs/licences.md, from the packages' own metadata
	$(RUN)/python .ci/licences.py

clean:
	rm -rf .venv .venv-uv site .cache
