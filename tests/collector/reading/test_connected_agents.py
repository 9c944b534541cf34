"""What six coding agents sent in the sessions that `aftershock connect` prepared, as Runs."""

from __future__ import annotations

import gzip
import json
import random

import pytest

from aftershock import attributes as names
from aftershock.limits import Limits
from aftershock.model import Outcome, StepKind, Tier, Tokens
from aftershock.policy.policy import EMPTY
from aftershock.rules.repeated_action import repeated_action
from aftershock_collector.otlp.decode import decode_span
from aftershock_collector.reading.decoder import Readers, Signal, decode
from aftershock_collector.reading.read import read
from aftershock_collector.reading.redaction import SENT_IN_SPANS
from tests.collector.reading.items import span
from tests.collector.reading.test_coding_agents import (
    DATA,
    GEMINI,
    calls,
    items,
    run_of,
    session,
    steps_of,
)

CLAUDE_NOW, CODEX_NOW, QWEN_NOW = "claude-code-2.1.332", "codex-0.171.0", "qwen-code-0.24.4"
COPILOT, OPENCODE = "copilot-1.0.102", "opencode-1.18.33"
CONNECTED = [CLAUDE_NOW, CODEX_NOW, GEMINI, QWEN_NOW, COPILOT, OPENCODE]  # by what `connect` sets


@pytest.mark.parametrize(
    ("name", "agent", "counted", "looped"),
    [
        (CLAUDE_NOW, "claude-code", (16, 14, 3), 6),
        (CODEX_NOW, "codex", (13, 12, 3), 6),
        (GEMINI, "gemini-cli", (10, 10, 3), 4),
        (QWEN_NOW, "qwen-code", (14, 12, 3), 4),
        (COPILOT, "github-copilot", (13, 12, 3), 6),
        (OPENCODE, "opencode", (16, 14, 3), 6),
    ],
)
def test_of_a_connected_agent_each_call_is_read_once_with_its_failures_and_its_loop(
    name: str, agent: str, counted: tuple[int, int, int], looped: int
) -> None:
    run = session(name, "connected")
    kinds = [step.kind for step in run.steps]
    actions = [step.action for step in run.steps if step.action is not None]
    outcomes = [action.outcome for action in actions]
    (loop,) = [one for one in repeated_action(run, Limits()) if "itself" not in one.summary]
    spent = [step.tokens for step in run.steps if step.kind is StepKind.INFERENCE]

    assert run.agent == agent
    found = (kinds.count(StepKind.INFERENCE), len(actions), outcomes.count(Outcome.FAILED))
    assert found == counted
    assert None not in outcomes
    assert [action.tier for action in actions].count(Tier.DESTRUCTIVE) == 2
    assert f"was called {looped} times with the same arguments" in loop.summary
    assert set(spent) - {None} == {Tokens(900, 40)}
    assert spent.count(None) <= 1  # Qwen Code stopped itself in the middle of one


@pytest.mark.parametrize("name", CONNECTED)
def test_the_newest_versions_give_the_same_run_in_any_order(name: str) -> None:
    steps = steps_of(items(name, "connected"))
    expected = run_of(steps)
    for seed in range(5):
        mixed = steps + random.Random(seed).sample(steps, len(steps) // 2)
        random.Random(seed).shuffle(mixed)
        assert run_of(mixed) == expected


@pytest.mark.parametrize(
    ("name", "subagent"),
    [
        (CLAUDE_NOW, "claude-code/"),
        (QWEN_NOW, "general-purpose"),
        (OPENCODE, "opencode/subagent"),
    ],
)
def test_what_a_sub_agent_does_is_its_own_within_the_run(name: str, subagent: str) -> None:
    inner = [step for step in calls(session(name, "connected")) if step.agent != step.service]

    assert [(step.agent or "").startswith(subagent) for step in inner] == [True]


def test_internals_of_a_program_are_counted_and_not_kept() -> None:
    document = json.loads(gzip.decompress((DATA / f"{OPENCODE}.json.gz").read_bytes()))
    kept: list[str] = []
    passed_over = 0
    for request in document["sessions"]["connected"]:
        body = json.dumps(request["body"]).encode()
        batch = decode(body, Signal.TRACES, "application/json", Readers.by(EMPTY), 1)
        passed_over += batch.passed_over
        kept += [one.name for one, _ in batch.spans]

    assert passed_over >= 20
    assert set(kept) <= {"ai.streamText", "ai.streamText.doStream", "ai.toolCall", "Tool.execute"}


@pytest.mark.parametrize("service", ["codex", "opencode", "gemini-cli"])
def test_an_agent_of_somebody_else_with_the_name_of_a_known_one_is_read(service: str) -> None:
    own = {names.OPERATION: "chat", names.REQUEST_MODEL: "gpt-4o"}
    scope = "opentelemetry.instrumentation.openai_v2"
    step = read(span(own, scope=scope, resource={names.SERVICE_NAME: service}), EMPTY)

    assert step is not None
    assert step.kind is StepKind.INFERENCE


@pytest.mark.parametrize("name", [COPILOT, OPENCODE, QWEN_NOW])
def test_content_of_spans_is_not_kept_and_their_steps_stay_the_same(name: str) -> None:
    document = json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
    kept = 0
    for request in document["sessions"]["connected"]:
        if request["signal"] != "traces":
            continue
        body = json.dumps(request["body"]).encode()
        batch = decode(body, Signal.TRACES, "application/json", Readers.by(EMPTY), 1)
        for stored, step in batch.spans:
            again = decode_span(stored.body, stored.resource_body, stored.scope_body)
            assert not SENT_IN_SPANS & again.attributes.keys()
            assert read(again, EMPTY) == step
            kept += 1
    assert kept > 20
