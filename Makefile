# Every target makes its own environment: Python 3.11 or newer with venv and pip is all it needs.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup demo test test-slow test-soak coding-agents frameworks frameworks-table stack-env stack-programs stack-test check docs bench bench-overhead bench-guard bench-paging load eval-rules eval-limits eval-impact fuzz memory day clean

setup: $(STAMP)  ## make the environment from the lock

$(STAMP): pyproject.toml uv.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	VIRTUAL_ENV= $(BIN)/uv sync --quiet --locked --all-extras --all-groups
	@touch $(STAMP)

demo: $(STAMP)  ## play the incident for real, in under two minutes
	$(BIN)/aftershock demo

test: $(STAMP)  ## the fast suite
	$(BIN)/python -m pytest -m "not slow" -n 4 -q -rs

test-slow: $(STAMP)  ## the demo incidents, kill -9 and the million spans
	$(BIN)/python -m pytest -m "slow and not stack and not soak and not coding_agents and not frameworks" -q -rs

test-soak: $(STAMP)  ## memory under load, ten kills of a collector, ten thousand worlds; an hour
	$(BIN)/python -m pytest -m soak -q -rs

coding-agents: $(STAMP)  ## real coding agents from npm, offline; CODING_AGENTS=claude-code,codex names some
	$(BIN)/python -m pytest -m coding_agents -q -rs tests/coding_agents

frameworks: $(STAMP)  ## programs of real frameworks from PyPI, offline; FRAMEWORKS=openai,langchain names some
	$(BIN)/python -m pytest -m frameworks -q -rs tests/frameworks

frameworks-table: $(STAMP)  ## the same, and the table of the documentation from what was measured
	RECORD_FRAMEWORKS=tests/data/frameworks.json RECORD_INSTRUMENTED=tests/data/instrumented.json $(BIN)/python -m pytest -m frameworks -q -rs tests/frameworks
	$(BIN)/python -m docs

stack-env:  ## passwords and this host's name for docker-compose.yml
	$(PYTHON) deploy/environment.py

stack-programs: $(STAMP)  ## build the stack's real programs from the Go module proxy, once
	$(BIN)/python -m tests.stack.programs build

stack-test: stack-programs  ## the incident, played into the whole stack
	$(BIN)/python -m pytest -q -rsP tests/stack
	$(BIN)/python -m pytest -q -rs tests/dashboards

check: $(STAMP)  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m alerts --check
	$(BIN)/python -m dashboards --check
	$(BIN)/python -m docs --check

docs: $(STAMP)  ## the documentation as a site in out/site, with strict links
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open out/site/index.html"

bench: $(STAMP)  ## figures that compare within one run
	$(BIN)/python -m tests.bench.agent
	$(BIN)/python -m tests.bench.collector
	$(BIN)/python -m tests.bench.attribution

bench-overhead: $(STAMP)  ## what recording costs real agents, beside the official instrumentation
	$(BIN)/python -m tests.bench.overhead

bench-guard: $(STAMP)  ## the gate: its cost, the hook, preflight, and how fast an order reaches calls
	$(BIN)/python -m tests.bench.guard

bench-paging: $(STAMP)  ## twenty incidents: from the act to the page, pages per incident, what closes unseen
	$(BIN)/python -m tests.bench.paging

load: $(STAMP)  ## a fleet's load for five minutes (LOAD_SECONDS): loss, p99, memory, time to a finding
	$(BIN)/python -m tests.bench.load --seconds $(or $(LOAD_SECONDS),300)

day: $(STAMP)  ## 24 simulated hours in fast-forward, with restarts and pruning: sizes and times
	$(BIN)/python -m tests.bench.day

memory: $(STAMP)  ## the collector's memory under hostile and honest loads; half an hour
	$(BIN)/python -m tests.bench.memory

fuzz: $(STAMP)  ## coverage-guided fuzzing of everything that reads what others write: a minute
	$(BIN)/python -m tests.fuzz --seconds $(or $(FUZZ_SECONDS),60)

eval-rules: $(STAMP)  ## the rules over recordings by others, beside what others use
	$(BIN)/python -m tests.evaluation.rules

eval-limits: $(STAMP)  ## what the figures of the rules owe to the exact value of each limit
	$(BIN)/python -m tests.evaluation.sensitivity

eval-impact: $(STAMP)  ## attributions of recorded incidents, beside what others use; some minutes
	$(BIN)/python -m tests.evaluation.impact

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis dist out
