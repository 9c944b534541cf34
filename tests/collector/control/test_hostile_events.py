"""Events that are JSON to a coding agent and not to Python's reader: their calls are judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aftershock.gate import any_json
from aftershock.recorder import settings, tool_calls
from tests.collector.control.test_hooks import GATE, decision, hook, text_hook
from tests.support.live_collector import live_collector

NOWHERE = "http://127.0.0.1:9"
EVENT = (
    '{"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Bash", '
    '"tool_input": {"command": "rm -rf /data", "more": %s}}'
)
HOSTILE = {
    "two thousand levels": b"[" * 2_000 + b"]" * 2_000,
    "a number of 5,000 digits": b"9" * 5_000,
    "a byte that is not UTF-8": b'"\xff"',
    "a file of eleven million bytes": b'"' + b"x" * 11_000_000 + b'"',
}


@pytest.mark.parametrize("more", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_call_is_judged_whatever_its_agent_wrote_into_it(tmp_path: Path, more: bytes) -> None:
    event = EVENT.encode().replace(b"%s", more)
    with live_collector(tmp_path, {"gate": GATE}) as collector:
        code, out, _ = hook(event, collector.url)

    assert code == 0
    assert decision(out)[0] == "deny"
    assert "does not allow" in decision(out)[1], "the collector decided"


@pytest.mark.parametrize("more", HOSTILE.values(), ids=HOSTILE.keys())
def test_without_a_collector_it_does_not_run_in_silence(more: bytes) -> None:
    code, out, _ = hook(EVENT.encode().replace(b"%s", more), NOWHERE)

    assert code == 0
    assert decision(out)[0] == "ask"


@pytest.mark.slow
def test_an_event_too_large_to_be_read_is_denied() -> None:
    event = EVENT.encode().replace(b"%s", b'"' + b"x" * 101_000_000 + b'"')

    code, out, errors = hook(event, NOWHERE)

    assert (code, out) == (2, "")
    assert "was not judged" in errors


@pytest.mark.parametrize("more", ["9" * 5_000, "[" * 2_000 + "]" * 2_000])
def test_arguments_that_come_as_a_text_of_json_are_read(tmp_path: Path, more: str) -> None:
    arguments = f'{{"command": "rm -rf /data", "more": {more}}}'
    event = {"toolName": "bash", "sessionId": "s", "toolArgs": arguments}
    with live_collector(tmp_path, {"gate": GATE}) as collector:
        answers = [hook(event, collector.url), text_hook(event, collector.url)]

    for code, out, _ in answers:
        assert code == 0
        assert json.loads(out)["permissionDecision"] == "deny"


def test_what_is_left_out_of_a_value_is_told_apart_and_all_else_stays() -> None:
    deep = "[" * 2_000 + '"]%s"' + "]" * 2_000
    text = '{"a": "[{\\"", "b": [1, {"c": [2]}], "d": ' + deep + ', "e": "]"}'
    one, other = any_json.loads(text % 1), any_json.loads(text % 2)
    numbers = any_json.loads(f"[{'9' * 5_000}, {'9' * 4_999}8, 9]")

    assert {key: one[key] for key in "abe"} == {"a": '[{"', "b": [1, {"c": [2]}], "e": "]"}
    assert one["d"] != other["d"]
    assert numbers[0] != numbers[1]
    assert numbers[2] == 9


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_a_call_with_a_number_beyond_floating_point_is_described(number: int) -> None:
    arguments = {"replicas": number, "seconds": number, "timeout": number, "limit": number}

    for tool in ("delete_user", "wait_for_it"):
        assert tool_calls.describe_call(tool, arguments, settings.policy())
