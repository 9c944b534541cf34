"""Events that are JSON to a coding agent and not to Python's reader: their calls are judged."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aftershock.gate import any_json
from aftershock.model import Tier
from aftershock.policy.policy import Policy, describe
from aftershock.recorder import model_apis, sanitizer, settings, tool_calls
from aftershock_collector.reading import dialects
from aftershock_collector.reading.isotime import time_ns_of
from aftershock_collector.sources.transcripts.files import sessions_in
from tests.collector.control.test_hooks import GATE, decision, hook, text_hook
from tests.collector.sources.test_transcripts import pairs_of, session_in
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


# --- The same in telemetry and in session files ----

HIDING = [
    '{"command": "rm -rf /data", "more": %s}',
    '{"more": %s, "command": "rm -rf /data"}',
    ' \n{"command": "rm -rf /data", "more": %s}',
]
MORE = ["9" * 5_000, "[" * 2_000 + "]" * 2_000, "[" * 2_000 + "9" * 5_000 + "]" * 2_000, '"\t"']


@pytest.mark.parametrize("read", [dialects.parsed, model_apis.arguments_of, sanitizer.parsed])
@pytest.mark.parametrize("text", HIDING)
@pytest.mark.parametrize("more", MORE, ids=["digits", "levels", "both", "a raw tab"])
def test_a_recorded_call_does_not_hide_its_command(
    read: Callable[[str], Any], text: str, more: str
) -> None:
    arguments = read(text.replace("%s", more))

    assert arguments["command"] == "rm -rf /data"
    assert describe(Policy(), "Bash", arguments).tier is Tier.DESTRUCTIVE


def test_what_is_no_json_stays_a_text() -> None:
    for text in ("{not json", "[1, 2", "rm -rf /", "", "[" * 5_000):
        assert dialects.parsed(text) == text


ASKED = (
    '{"type":"user","uuid":"u1","sessionId":"s1","timestamp":"2026-11-01T10:00:00Z",'
    '"message":{"role":"user","content":"hi"}}\n'
)
CALLED = (
    '{"type":"assistant","uuid":"u2","sessionId":"s1","timestamp":"%t","message":{"id":"m1",'
    '"role":"assistant","model":"m","content":[{"type":"tool_use","id":"t1","name":"Bash",'
    '"input":{"command":"rm -rf /data","more":%s}}],"usage":{"input_tokens":1}}}\n'
)


@pytest.mark.parametrize("more", MORE[:3], ids=["digits", "levels", "both"])
def test_an_imported_session_does_not_hide_a_call(tmp_path: Path, more: str) -> None:
    place = tmp_path / "s1.jsonl"
    called = CALLED.replace("%t", "2026-11-01T10:00:01Z")
    place.write_text(ASKED + called.replace("%s", more))

    session = session_in(place)

    assert not session.rejected
    tiers = [step.action.tier for _, step in pairs_of(session) if step.action is not None]
    assert tiers == [Tier.DESTRUCTIVE]


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_moment_that_no_span_can_have_is_none(moment: str) -> None:
    assert time_ns_of(moment) is None


def test_pipes_and_devices_among_session_files_are_passed_over(tmp_path: Path) -> None:
    """Reading one would never end."""
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "zero.jsonl").symlink_to("/dev/zero")
    (tmp_path / "s1.jsonl").write_text(ASKED)
    (tmp_path / "loop").symlink_to(tmp_path)

    assert [found.path.name for found in sessions_in([tmp_path], None)] == ["s1.jsonl"]
