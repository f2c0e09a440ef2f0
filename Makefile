# Each target sets up what it needs in .venv, once, and anew when the lock or the project's metadata are newer.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test prove mutants lint bench deb trial audit lock

demo: $(STAMP)
	$(BIN)/syncd demo

# Two files at a time, since much of the time is waiting.
test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

# Long: N=10000 random schedules, KILLS=1000 deaths of real processes and every fault that `test` has no time for, or
# both. JOBS=2 tries schedules side by side, SEED=... repeats what a run names.
prove: $(STAMP)
	$(if $(or $(N),$(if $(KILLS),,some)),$(BIN)/python -m tests.property.prove)
	$(if $(KILLS),$(BIN)/python -m pytest -m prove tests/faults)
	$(if $(KILLS),$(BIN)/python -m tests.faults.prove)

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

# Whether the tests notice small mistakes: hours for all; ONLY=guard takes minutes.
mutants: $(STAMP)
	$(BIN)/python -m tests.mutation

bench: $(STAMP)
	$(BIN)/python -m tests.bench

# The Debian package, for the release that this runs on: dist/syncd_*.deb.
deb: $(STAMP)
	systemd/build-deb

# That package, tried in a systemd that is booted for it. As root, and two minutes.
trial: deb
	tests/systemd/boot . /usr/bin/python3 tests/systemd/trial.py dist/syncd_*.deb

# Known vulnerabilities of what is locked. Asks the network, so that it is no part of lint.
audit: $(STAMP)
	$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements.lock

# The newest releases that pyproject.toml allows, for every platform and Python that it allows.
lock: $(STAMP)
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--extra dev --extra mysql --extra postgresql --extra notify \
		--no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--output-file requirements.lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@
