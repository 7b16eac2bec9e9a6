# Every task of the project. Each target sets up what it needs, once; `make` alone lists them.

CONTRACT ?= openapi.yaml
BASE ?=
FORMAT ?= text
EXAMPLES ?= 20000
SEED ?=
WRITE ?=
WORKFLOWS ?= $(wildcard .github/workflows/*)
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
COMPILE := $(VENV)-uv/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --only-binary :all:
NEEDS_PYTHON := test -n "$(PYTHON)" || { echo "Python 3.11 or later was not found: install it, or name it with 'make PYTHON=/path/to/python3'." >&2; exit 2; }

# The project's own tools come first, whatever is installed on the machine.
export PATH := $(abspath $(BIN)):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup build publish check-release upload demo test integration browser validate generate check-generated changes check-version lint types format docs faults fuzz soak soak-accounts mutate bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## Make .venv with the pinned, hash-checked tools (the other targets do it when needed)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(NEEDS_PYTHON)
	@if cmp -s requirements/dev.txt $(VENV)/.requirements && test -x $(BIN)/python; then :; else \
	  echo "Setting up $(VENV) (once, about half a minute) ..."; \
	  $(PYTHON) -m venv --clear $(VENV) || { echo "'$(PYTHON) -m venv' failed: on Debian and Ubuntu, install the package python3-venv." >&2; exit 2; }; \
	  $(PIP_INSTALL) -r requirements/dev.txt || { echo "The pinned tools could not be installed: see pip's message above." >&2; exit 2; }; \
	  cp requirements/dev.txt $(VENV)/.requirements; \
	fi
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $@

build: $(STAMP) $(VENV)-build/.set-up ## Write the wheel and the sdist to dist/, checked, the same bytes for the same commit
	@python -m tools.build

publish: $(STAMP) ## Build, and upload to the index of UV_PUBLISH_URL: see docs/publishing.md
	@python -m tools.upload --check
	@$(MAKE) --no-print-directory check-release
	@$(MAKE) --no-print-directory check-generated
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory upload
	@python -m tools.release --tag

check-release: $(STAMP) ## Fail when the tree may not be published: uncommitted changes, tag, version, changelog
	@python -m tools.release

upload: $(VENV)-uv/.set-up ## Upload what dist/ holds, and only if it is what DIGESTS says, where that is set
	@$(VENV)-uv/bin/python -m tools.upload

demo: validate generate ## See it work: validate, generate, start a sandbox, list an account's invoices, show an error
	@python -m tools.demo

test: $(STAMP) ## Run the tests
	@python -m pytest -n auto --dist loadfile

integration: $(STAMP) $(foreach name,bench build httpx2 index servers uv,$(VENV)-$(name)/.set-up) ## Test what is not ours with ours: fresh environments, package indexes, token servers, httpx2
	@python -m pytest --ignore=tests/integration/test_httpx2.py tests/integration
	@PYTHONPATH=generated:overrides:extras $(VENV)-httpx2/bin/python -m pytest tests/integration/test_httpx2.py
	@PYTHONPATH=generated:overrides:extras $(VENV)-httpx2/bin/python -m pytest -p tests.integration.aliased tests/integration/test_httpx2.py

browser: $(STAMP) $(VENV)-browser/.set-up ## Test the contract's page in a headless Chromium, which has to be installed
	@PYTHONPATH=generated:overrides:extras $(VENV)-browser/bin/python -m pytest --confcutdir=tests/browser tests/browser

$(VENV)-%/.set-up: requirements/%.txt
	@$(NEEDS_PYTHON)
	@echo "Setting up $(@D) (once, about a quarter of a minute) ..."
	@$(PYTHON) -m venv --clear $(@D)
	@$(subst $(BIN),$(@D)/bin,$(PIP_INSTALL)) -r $< || { echo "$< could not be installed: see pip's message above." >&2; exit 2; }
	@touch $@

validate: $(STAMP) ## Check the contract: valid OpenAPI, true to the documentation, examples, provenance
	@python -m tools.validate "$(CONTRACT)"

generate: $(STAMP) ## Write generated/ from the contract
	@python -m tools.generate "$(CONTRACT)"

check-generated: $(STAMP) ## Fail when generated/ is not what the contract gives, naming the files
	@python -m tools.generate --check "$(CONTRACT)"

changes: $(STAMP) ## List what changed for callers since BASE (the last release, else HEAD); FORMAT=text, json or markdown
	@python -m tools.changes --base="$(BASE)" --format="$(FORMAT)"

check-version: $(STAMP) ## Fail when info.version or the changelog does not match the changes since BASE
	@python -m tools.changes --base="$(BASE)" --check-version

lint: $(STAMP) ## Check the style of the hand-written code, and that the workflows are valid and safe
	@ruff check --no-cache .
	@ruff format --no-cache --check .
	@for file in $(WORKFLOWS); do \
	  test -f "$$file" || { echo "$$file: is no file: name workflows with WORKFLOWS=path." >&2; exit 2; }; \
	  for check in "check-jsonschema --builtin-schema vendor.github-workflows" "zizmor --offline --quiet --strict-collection --persona=auditor"; do \
	    found=$$($$check "$$file" 2>&1) || { status=$$?; printf '%s\n' "$$found" >&2; exit $$status; }; \
	  done; \
	done

types: $(STAMP) ## Check the types, generated code included
	@mypy

format: $(STAMP) ## Format the hand-written code
	@ruff check --no-cache --fix .
	@ruff format --no-cache .

docs: validate ## Write docs/api.html, the contract as a page for people: one file, which needs no network
	@python -m talkdesk_bridge_sandbox.page "$(CONTRACT)" docs/api.html

faults: $(STAMP) ## Write docs/faults.md from the cases that the tests run
	@python -m tests.faults > docs/faults.md

fuzz: $(STAMP) ## Try the properties on EXAMPLES drawn bodies and lists (20000; SEED= for the same ones again)
	@EXAMPLES="$(EXAMPLES)" SEED="$(SEED)" python -m tests.fuzz

soak: $(STAMP) ## Send 10,000 requests with one client, sync and async: nothing may grow
	@python -m tests.soak

soak-accounts: $(STAMP) ## Ask for a million invoices of ten thousand accounts, killed five times: none may be lost
	@python -m tests.soak_accounts

mutate: $(STAMP) $(VENV)-mutate/.set-up ## Make small mistakes in the client, a thousand, one at a time: the tests must find them (half an hour)
	@$(VENV)-mutate/bin/python -m tools.mutate

bench: $(STAMP) $(VENV)-bench/.set-up ## Measure the client and its peers side by side, in under ten minutes; WRITE=1 renews docs/speed.md
	@PYTHONPATH=generated:overrides:extras $(VENV)-bench/bin/python -m benchmarks $(if $(WRITE),--write)

lock: $(VENV)-uv/.set-up ## Pin the newest tools in requirements/
	@$(COMPILE) --all-extras --group dev pyproject.toml -o requirements/dev.txt
	@$(COMPILE) --all-extras pyproject.toml -o requirements/highest.txt
	@$(COMPILE) --all-extras --resolution lowest-direct pyproject.toml -o requirements/lowest.txt
	@$(COMPILE) --all-extras --group bench pyproject.toml -o requirements/bench.txt
	@$(COMPILE) --group pyproject.toml:build -o requirements/build.txt
	@$(COMPILE) --group pyproject.toml:index -o requirements/index.txt
	@$(COMPILE) --group pyproject.toml:servers -o requirements/servers.txt
	@$(COMPILE) --extra sandbox --group httpx2 pyproject.toml -o requirements/httpx2.txt
	@$(COMPILE) --extra sandbox --group mutate pyproject.toml -o requirements/mutate.txt
	@$(COMPILE) --extra sandbox --group browser pyproject.toml -o requirements/browser.txt
	@$(COMPILE) --group pyproject.toml:uv -o requirements/uv.txt

clean: ## Remove what the targets made, generated/ excepted
	@rm -rf $(VENV) $(VENV)-bench $(VENV)-browser $(VENV)-build $(VENV)-httpx2 $(VENV)-index $(VENV)-mutate $(VENV)-servers $(VENV)-uv .mutate dist docs/api.html .hypothesis .mypy_cache .pytest_cache .ruff_cache
