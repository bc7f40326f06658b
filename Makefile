# Everything a person or CI does with this repository. `make` alone explains itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

# Images often forbid Python to keep what it compiled; then every ansible-playbook compiles all of Ansible again.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PYTHON := $(BIN)/python
# What may be said on the command line:
JOBS ?= auto#      processes that run tests; 0 runs them in one, where a debugger works
TESTS ?= tests#    the tests to run
GATES ?=#          the gates to check; all without it
NEWEST ?= auto#    no: leave out the run on Python 3.12 and the newest ansible-core
SAMPLE ?=#         how many of the slow tests to run; all without it
AGAIN ?= no#       yes: a test that fails is tried once more, three of a run at most; both ways it is shown how it failed

PYTEST_WORDS = -n $(strip $(JOBS)) --dist worksteal -q $(if $(filter yes,$(strip $(AGAIN))),$(SECOND_TRY))
SECOND_TRY = --reruns 1 --max-suite-reruns 3 --rerun-show-tracebacks

.PHONY: help install demo undemo demo-lxc undemo-lxc test check suite test-newest test-slow molecule molecule-lxc bench docs \
        coverage-of-requirements lock packages clean

help: ## Show this list
	@echo "ads: describe an environment once; it is deployed, tested and live."; echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-26s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "For example: make test · make suite TESTS=tests/domain JOBS=0 · make check GATES='ruff mypy'"

demo: install ## Define, deploy, test and take live a telephony environment on this machine
	@$(PYTHON) tools/demo.py up

undemo: install ## Take the demo down and return everything it holds
	@$(PYTHON) tools/demo.py down

demo-lxc: install ## The same on real hosts: two tenants on system containers with systemd; needs root and lxc
	@$(PYTHON) tools/demo_lxc.py up

undemo-lxc: install ## Take that down; what the hosts stand on stays in build/hosts
	@$(PYTHON) tools/demo_lxc.py down

test: packages check test-newest suite ## The one test command: every gate and the whole suite

check: install ## Style, types, imports, collection sanity and lint, importer, generated docs
	@python3 tools/debian_packages.py git
	@$(PYTHON) tools/gates.py $(GATES)

suite: install packages ## The test suite alone
	@$(BIN)/pytest $(PYTEST_WORDS) $(TESTS)

test-newest: packages ## The suite on Python 3.12 and the newest ansible-core, where a 3.12 is found
ifeq ($(strip $(NEWEST)),no)
	@echo "test-newest: left out, as asked (NEWEST=no)"
else
	@python3 tools/install.py newest; code=$$?; \
	if [ $$code -eq 3 ]; then echo "test-newest: left out, as there is no Python 3.12 here"; exit 0; fi; \
	[ $$code -eq 0 ] || exit $$code; \
	echo "On $$(.venv312/bin/python -V) and $$(.venv312/bin/ansible --version 2>/dev/null | head -1):"; \
	.venv312/bin/pytest $(PYTEST_WORDS) -o cache_dir=build/pytest312 --once-more $(TESTS)
endif

test-slow: install packages ## The slow crash runs and the runs at scale; SAMPLE=20 runs twenty of them
	@$(BIN)/pytest $(PYTEST_WORDS) -m "slow or scale" $(if $(strip $(SAMPLE)),--sample $(strip $(SAMPLE))) $(TESTS); \
	code=$$?; [ $$code -eq 5 ] && echo "There is no slow test yet." && exit 0; exit $$code

molecule: install packages ## Every role's molecule scenarios, on local machines
	@$(PYTHON) tools/collection.py molecule

molecule-lxc: install ## The same scenarios on system containers with systemd; needs root and lxc
	@$(PYTHON) tools/collection.py molecule-lxc

bench: install packages ## Measure against the budgets; results go to benchmarks/RESULTS.md
	@$(PYTHON) benchmarks/run.py

docs: install ## Make the generated documents again
	@if [ -f tools/docs.py ]; then $(PYTHON) tools/docs.py; else echo "tools/docs.py is not there yet."; fi

coverage-of-requirements: install ## Which requirements have a test, and which have none
	@$(PYTHON) -P tools/requirement_coverage.py

install: .venv/.installed ## Make .venv with everything this repository needs
.venv/.installed: requirements/dev.txt pyproject.toml tools/install.py
	@python3 tools/install.py dev

packages: # Debian packages that tests need
	@python3 tools/debian_packages.py

lock: install ## Lock the newest libraries that pyproject.toml and requirements/*.in allow
	@# libvirt-python is built where it is installed, against libvirt's headers; the tests use Debian's python3-libvirt.
	@flags="--quiet --upgrade --no-emit-index-url --no-annotate --no-header --all-extras pyproject.toml"; \
	flags="$$flags --no-emit-package libvirt-python"; \
	$(BIN)/uv pip compile $$flags requirements/dev.in --python-version 3.11 -o requirements/dev.txt && \
	$(BIN)/uv pip compile $$flags requirements/test.in --python-version 3.12 -o requirements/newest.txt
	@git --no-pager diff --stat -- requirements

clean: ## Remove everything made here: environments, builds, caches
	rm -rf .venv .venv312 build dist .hypothesis .ruff_cache python/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
