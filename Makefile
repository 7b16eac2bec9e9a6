# The tasks of the project. Each target sets up what it needs, once. `make` without a target lists them.

CONTRACT ?= openapi.yaml
BASE ?=
FORMAT ?= text
EXAMPLES ?= 20000
SEED ?=
ACCOUNTS ?=
WRITE ?=
URL ?=
ACCOUNT ?=
EMPTY ?=
UNKNOWN ?=
WORKFLOWS ?= $(wildcard .github/workflows/*)
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
VENV := .venv
DEV := $(VENV)/.set-up
# Empty if `info.version` is not three numbers, which `make validate` reports.
VERSION := $(firstword $(shell sed -nE "s/^  version: *[\"']?([0-9]+\.[0-9]+\.[0-9]+)[\"']?([[:space:]].*)?$$/\1/p" openapi.yaml 2>/dev/null))
UV := $(VENV)-uv/.set-up
COMPILE := $(VENV)-uv/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate
PIP_INSTALL := -m pip install -qq --disable-pip-version-check
# .venv-integration does not contain the package, so these tests use the client from the tree.
INTEGRATION := PYTHONPATH=generated:overrides:extras $(VENV)-integration/bin/python -m pytest
PARALLEL := -n auto --dist loadfile

# With bytecode, else each mutant compiles the tests again. Each waits for its server half of the time.
MUTMUT := env -u PYTHONDONTWRITEBYTECODE PYTHONHASHSEED=0 PYTHONPATH=generated:extras mutmut

# The project's own tools take precedence over those installed on the machine.
export PATH := $(abspath $(VENV)/bin):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo test validate generate changes lint types format check-generated check-version build publish check-release upload integration judge fuzz soak mutate bench site docs setup lock clean

help:
	@awk -F ':.*## ' '/^##@ / {print substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ Every day
demo: validate generate ## See it work: a sandbox, an account's invoices, an error response
	@python -m tools.demo

test: $(DEV) ## Run the tests
	@python -m pytest $(PARALLEL)

validate: $(DEV) ## Check the contract: valid, as documented, can be generated; LIMIT=0 for all
	@python -m tools.contract "$(CONTRACT)"

generate: $(DEV) ## Write generated/ from the contract
	@python -m tools.generate "$(CONTRACT)"

changes: $(DEV) ## List the changes for callers since BASE; FORMAT=text, json or markdown
	@python -m tools.changes --base="$(BASE)" --format="$(FORMAT)"

lint: $(DEV) ## Check code style, and that the workflows are valid and safe
	@ruff check --no-cache .
	@ruff format --no-cache --check .
	@$(if $(WORKFLOWS),ls $(WORKFLOWS) >/dev/null)
	@$(if $(WORKFLOWS),check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS))
	@$(if $(WORKFLOWS),zizmor --offline --quiet --strict-collection --persona=auditor $(WORKFLOWS))

types: $(DEV) ## Check types, including the generated code
	@mypy

format: $(DEV) ## Format the hand-written code
	@ruff check --no-cache --fix .
	@ruff format --no-cache .

##@ Before a commit is merged or released
check-generated: $(DEV) ## Fail if generated/ does not match the contract
	@python -m tools.generate --check "$(CONTRACT)"

check-version: $(DEV) ## Fail if info.version or the changelog does not match the changes
	@python -m tools.changes --base="$(BASE)" --check-version

build: $(DEV) ## Write wheel and sdist to dist/, always the same bytes; DOCS_URL= of the site
	@python -m tools.release build

publish: $(DEV) $(UV) ## Check, build and upload this commit to UV_PUBLISH_URL: docs/publishing.md
	@python -m tools.release upload --check
	@python -m tools.release check
	@python -m tools.generate --check
	@python -m tools.release build
	@$(VENV)-uv/bin/python -m tools.release upload

# The two halves of `publish` for a release workflow, in which only the second one sees the credential of the index.
check-release: $(DEV)
	@python -m tools.release check

upload: $(UV)
	@$(VENV)-uv/bin/python -m tools.release upload

##@ Tests that take longer
integration: $(DEV) site $(foreach name,bench integration judge spark tables uv,$(VENV)-$(name)/.set-up) ## Test with other software: indexes, token servers, gateways, httpx2, a browser
	@python -m pytest $(PARALLEL) --no-loadscope-reorder $(foreach name,example_bridge examples httpx2 judge loops mocks spark table_recipes,--ignore=tests/integration/test_$(name).py) tests/integration
	@$(INTEGRATION) $(PARALLEL) $(foreach name,examples loops mocks example_bridge judge,tests/integration/test_$(name).py) tests/test_proxies.py
	@$(subst -integration,-tables,$(INTEGRATION)) tests/integration/test_table_recipes.py
	@$(subst -integration,-spark,$(INTEGRATION)) tests/integration/test_spark.py
	@$(INTEGRATION) -p no:pytest_httpx tests/integration/test_httpx2.py
	@$(INTEGRATION) -p no:pytest_httpx -p tests.integration.aliased tests/integration/test_httpx2.py
	@if command -v chromedriver >/dev/null; then $(INTEGRATION) --confcutdir=tests/browser tests/browser; \
	else echo "Skipped tests/browser: chromedriver was not found (on Debian: install chromium and chromium-driver)."; test -z "$$CI"; fi

judge: $(DEV) $(VENV)-judge/.set-up ## Test a bridge: URL=, ACCOUNT=, EMPTY=, UNKNOWN=; see docs/hosting.md
	@python -m tools.judge "$(CONTRACT)" --url="$(URL)" --account="$(ACCOUNT)" --empty="$(EMPTY)" --unknown="$(UNKNOWN)"

fuzz: $(DEV) ## Test properties with EXAMPLES (20000) bodies, lists and so on; SEED= repeats a run
	@EXAMPLES="$(EXAMPLES)" SEED="$(SEED)" python -m tests.fuzz

soak: $(DEV) ## Send 10,000 requests: nothing may grow; ACCOUNTS=1 lists 10,000 accounts
	@python -m tests.soak$(if $(ACCOUNTS),_accounts)

mutate: $(DEV) ## Make small mistakes in the client that the tests must find (over an hour)
	@rm -rf .mutate && mkdir .mutate && ln -s ../overrides .mutate/src
	@cd .mutate && ln -s $(foreach name,docs extras generated openapi.yaml pyproject.toml tests tools,../$(name)) .
	@cd .mutate && $(MUTMUT) run --max-children=4 && $(MUTMUT) results

bench: $(DEV) $(VENV)-bench/.set-up ## Measure the client and its peers; WRITE=1 updates docs/speed.md
	@PYTHONPATH=generated:overrides:extras $(VENV)-bench/bin/python -m benchmarks $(if $(WRITE),--write)

##@ Upkeep
site: $(DEV) $(VENV)-site/.set-up ## Write the documentation to site/: HTML with a reference and search, offline
	@rm -rf site
	@python -m tools.pages
	@$(VENV)-site/bin/zensical build --strict --clean

docs: validate ## Write faults.md, the tables of check.md, and api.html, an offline page, in docs/
	@python -m tests.faults >docs/.faults.md && mv docs/.faults.md docs/faults.md
	@python -m tests.mistakes >docs/.check.md && mv docs/.check.md docs/check.md
	@python -m tests.api_page "$(CONTRACT)" docs/api.html

setup: $(DEV) ## Create .venv with the pinned tools; the other targets do this if needed

lock: $(UV) ## Pin the newest tools in requirements/
	@$(COMPILE) --all-extras --group dev pyproject.toml -o requirements/dev.txt
	@$(COMPILE) --all-extras pyproject.toml -o requirements/highest.txt
	@$(COMPILE) --all-extras --resolution lowest-direct pyproject.toml -o requirements/lowest.txt
	@$(COMPILE) --extra sandbox --group integration pyproject.toml -o requirements/integration.txt
	@$(COMPILE) --all-extras --group bench pyproject.toml -o requirements/bench.txt
	@$(COMPILE) --extra sandbox --extra tables --group tables pyproject.toml -o requirements/tables.txt
	@$(COMPILE) --extra sandbox --extra tables --group spark pyproject.toml -o requirements/spark.txt
	@$(COMPILE) --group pyproject.toml:judge -o requirements/judge.txt
	@$(COMPILE) --no-deps --group pyproject.toml:pyspark -o requirements/pyspark.txt
	@$(COMPILE) --group pyproject.toml:site -o requirements/site.txt
	@$(COMPILE) --group pyproject.toml:uv -o requirements/uv.txt
	@npm update --prefix tests/integration/oidc --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean: ## Remove what the targets created: environments, caches, dist/, site/, docs/api.html
	@rm -rf $(VENV) $(VENV)-* .cache .mutate .site dist site docs/api.html docs/.faults.md docs/.check.md .hypothesis .mypy_cache .pytest_cache .ruff_cache

# Environments: .venv, and one for each other file in requirements/ that a target needs.
define SET_UP
@test -n "$(PYTHON)" || { echo "Python 3.11 or later was not found: install it, or pass its path with 'make PYTHON=/path/to/python3'." >&2; exit 2; }
@echo "Setting up $(@D) (once, about half a minute) ..."
@$(PYTHON) -m venv --clear $(@D) || { echo "'$(PYTHON) -m venv' failed: on Debian and Ubuntu, install the package python3-venv." >&2; exit 2; }
@$(@D)/bin/python $(PIP_INSTALL) --require-hashes --only-binary :all: -r $< || { echo "$< could not be installed: see pip's message above." >&2; exit 2; }
@touch $@
endef

$(VENV)/.tools: requirements/dev.txt
	$(SET_UP)

# If `info.version` changed, the file with the version in its name is missing, and the package is installed again.
$(VENV)/.version-%: $(VENV)/.tools
	@rm -f $(VENV)/.version-* && touch $@

$(DEV): $(VENV)/.tools pyproject.toml $(if $(VERSION),$(VENV)/.version-$(VERSION))
	@$(VENV)/bin/python $(PIP_INSTALL) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)-%/.set-up: requirements/%.txt
	$(SET_UP)

# pyspark has no wheel: it is built with the setuptools of its environment.
$(VENV)-spark/.set-up: requirements/spark.txt requirements/pyspark.txt
	$(SET_UP)
	@$(@D)/bin/python $(PIP_INSTALL) --require-hashes --no-deps --no-build-isolation -r requirements/pyspark.txt || { rm $@; exit 2; }
