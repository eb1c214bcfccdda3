# make run    the page on http://127.0.0.1:7860
# make test   everything that is checked: ruff, mypy, pytest (browser included)
# make soak   the long forms of the tests
# make bench  every benchmark beside its rival; writes docs/benchmarks.md (some 30 minutes)
# make scale  what 1, 10 and 100 workers and replicas would serve; writes its part of docs/scaling.md
# make audit  known holes in the locked packages    make lock   requirements.lock anew
# Each sets up what it needs: a virtual environment in .venv and, for tests, a Chromium and a PostgreSQL.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python3.14; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
VENV := .venv
PY := $(VENV)/bin/python
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
AUDIT = $(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement
APT := DEBIAN_FRONTEND=noninteractive apt-get
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test lint soak bench scale audit lock clean
.DEFAULT_GOAL := run

run: $(VENV)/.run
	$(PY) app.py

test: $(VENV)/.test browser postgres lint
	$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

soak: $(VENV)/.test browser postgres
	$(PY) -m pytest -m soak -s

bench: $(VENV)/.test browser
	$(PY) benchmarks/report.py

scale: $(VENV)/.test
	$(PY) benchmarks/scale_model.py

# First a version whose holes are known: a service that does not report them has not looked at ours either.
audit: $(VENV)/audit/.done
	@echo jinja2==2.11.2 > $(VENV)/audit/known
	@$(AUDIT) $(VENV)/audit/known 2>$(VENV)/audit/said | grep -qE 'CVE-|GHSA-|PYSEC-' || { tail -1 $(VENV)/audit/said; \
		echo "make audit: the vulnerability service cannot be asked from here. NOTHING WAS AUDITED."; exit 2; }
	$(AUDIT) requirements.lock

lock: $(VENV)/bin/python
	rm -rf $(VENV)/lock
	$(PY) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install -q -r requirements.txt
	{ head -2 requirements.lock; $(VENV)/lock/bin/python -m pip freeze; } > $(VENV)/lock/frozen
	mv $(VENV)/lock/frozen requirements.lock

$(VENV)/audit/.done: | $(VENV)/bin/python
	$(PY) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install -q pip-audit
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info

# Debian and Ubuntu split venv from Python; it is fetched when it is missing.
$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); \
		$(SUDO) $(APT) update -qq; $(SUDO) $(APT) install -y -qq python3-venv; $(PYTHON) -m venv $(VENV); }

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(PY) -m pip install -q -r requirements.txt
	@touch $@

$(VENV)/.test: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(PY) -m pip install -q -r requirements-dev.txt
	@touch $@ $(VENV)/.run

.PHONY: browser
browser:
	@for c in chromium chromium-browser google-chrome google-chrome-stable; do \
		command -v $$c >/dev/null && exit 0; done; \
	echo "No Chromium found: installing one for the browser tests."; \
	$(SUDO) $(APT) update -qq; \
	$(SUDO) $(APT) install -y -qq chromium || $(SUDO) $(APT) install -y -qq chromium-browser

# The tests start a server of their own; the one that a system package may start is left alone.
.PHONY: postgres
postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb /usr/local/pgsql/bin/initdb \
		/opt/homebrew/opt/postgresql*/bin/initdb 2>/dev/null | grep -q . && exit 0; \
	command -v apt-get >/dev/null || { echo "No PostgreSQL found: its tests are skipped."; exit 0; }; \
	echo "No PostgreSQL found: installing one for the tests of several replicas."; \
	$(SUDO) $(APT) update -qq; \
	$(SUDO) $(APT) install -y -qq postgresql
