# make run   test a device (the built-in reference device, unless DEVICE= names another)
# make test  check sipverdict itself
# Both set up what they need on Debian and Ubuntu, and say so; elsewhere they say what to install.

SHELL   := /bin/bash
DEVICE  ?= reference
WINDOW  ?= quick
FAULT   ?=
ARGS    ?=

# Every test starts the command line anew: without compiled modules each of them compiles the suite for itself.
unexport PYTHONDONTWRITEBYTECODE

VENV    := .venv
BASE    := $(VENV)/.base
DEV     := $(VENV)/.dev
DEVICES := $(VENV)/.devices
RUN     ?= reports/out/latest
REPORT  ?=
N       ?= 60
SEED    ?= 1
SECONDS := $(if $(filter command line,$(origin SECONDS)),$(SECONDS),60)
READER  ?=
comma   := ,

# Devices that do much wrong, or get much that is wrong: they take as long as the table of faults, and go with it.
WRONG   := tests/run/test_robustness.py tests/run/test_defective_devices.py

.PHONY: help run report test faults fuzz chaos mutants devices lint site dist clean

help:
	@sed -n 's/^# //p' Makefile | head -3
	@echo "make devices  install the real devices that sipverdict can test by itself (baresip, PJSUA2, Sippy B2BUA, Kamailio, JsSIP)"
	@echo "make faults   every fault of the reference device against every purpose (make test: a sample)"
	@echo "make fuzz     bytes of strangers into every reader of ours, guided by coverage (SECONDS=60 for each, READER=sip)"
	@echo "make chaos    faults of the machine, the line and the device, done to real runs: no wrong verdict, nothing left (root: all)"
	@echo "make mutants  small changes of the reference device, and how many of them the suite notices (N=60 SEED=1)"
	@echo "make report   the pages of the last run (RUN=folder, REPORT='--lang fr'); Allure's as well where Node.js is"
	@echo "make lint     ruff, mypy and the layers of the rooms (import-linter)"
	@echo "make site     the documentation as a site, in dist/site; its links are checked"
	@echo "make dist     a wheel and a source distribution, in dist/"
	@echo "make run DEVICE=name|profile.toml WINDOW=quick|standard|extended FAULT=name ARGS='pytest options'"

$(BASE): pyproject.toml constraints.txt .ci/setup
	@.ci/setup base
	@touch $@

$(DEV): $(BASE) .ci/setup
	@.ci/setup dev
	@touch $@

$(DEVICES): $(BASE) .ci/setup
	@.ci/setup devices
	@touch $@

run: $(BASE)
	@$(VENV)/bin/sipverdict run $(addprefix --device ,$(subst $(comma), ,$(DEVICE))) --window $(WINDOW) $(addprefix --fault ,$(subst $(comma), ,$(FAULT))) -- $(ARGS)

report: $(BASE)
	@.ci/setup node
	@$(VENV)/bin/sipverdict report $(RUN) --allure $(REPORT)

devices: $(DEVICES)

lint: $(DEV)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo

test: $(DEV) $(DEVICES) lint
	@.ci/pytest tests --ignore=tests/run -n 4 --dist loadfile $(ARGS)
	@.ci/pytest tests/run $(addprefix --ignore=,$(WRONG)) -n 4 --dist loadfile $(ARGS)

faults: $(DEV)
	@.ci/pytest $(WRONG) -n 2 --dist loadfile $(ARGS)
	@SIPVERDICT_FAULT_TABLE=whole .ci/pytest tests/run/test_fault_table.py $(ARGS)

fuzz: $(DEV)
	@$(VENV)/bin/python -m tests.fuzz --seconds $(SECONDS) $(READER)

chaos: $(DEV)
	@$(VENV)/bin/python -m tests.chaos $(ARGS)

mutants: $(DEV)
	@$(VENV)/bin/python -m tests.mutants --number $(N) --seed $(SEED) $(ARGS)

site: $(DEV)
	@$(VENV)/bin/python -m harness.manual.site
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build -q

dist: $(DEV)
	@$(VENV)/bin/python -m hatchling build -d dist

clean:
	rm -rf $(VENV) reports/out dist
