"""What an agent writes into the arguments of its own call, over real sockets: the gate judges it."""

from __future__ import annotations

import asyncio
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from aftershock.guard.protocol import HOOK_PATH, PREFLIGHT_PATH, TICKETS_PATH
from tests.collector.access.test_attacks import collector

GATE = {"gate": {"mode": "enforce", "tiers": {"destructive": "deny"}, "preflight": ["destructive"]}}
ASKS = {"gate": {"mode": "enforce", "tiers": {"destructive": "ask"}, "wait": "1s"}}
HALF = '"\\ud83d"'  # half of a character, which JSON can say and UTF-8 can not
DEEP = '{"a":' * 900 + "1" + "}" * 900


def event(more: str, *, tool: str = '"Bash"', run: str = '"s"') -> str:
    arguments = '{"command": "rm -rf /data", "more": ' + more + "}"
    return (
        '{"agent": "codex", "event": {"hook_event_name": "PreToolUse", "session_id": '
        f'{run}, "tool_name": {tool}, "tool_input": {arguments}}}}}'
    )


@pytest.mark.parametrize(
    "body", [event(HALF), event(DEEP), event("1", run=HALF), event(HALF, run=HALF)]
)
@pytest.mark.parametrize("document", [GATE, ASKS], ids=["denies", "asks"])
def test_no_argument_makes_the_collector_fail_and_the_hook_decide_alone(
    tmp_path: Path, body: str, document: dict[str, Any]
) -> None:
    async def attack() -> tuple[int, str]:
        async with collector(tmp_path, document=document) as (_, client):
            answer = await client.post(
                HOOK_PATH, content=body, headers={"content-type": "application/json"}
            )
        return answer.status_code, answer.text

    status, text = asyncio.run(attack())

    assert status == 200
    printed = json.loads(json.loads(text)["stdout"])["hookSpecificOutput"]
    assert printed["permissionDecision"] == "deny"


@pytest.mark.parametrize("path", [PREFLIGHT_PATH, TICKETS_PATH])
@pytest.mark.parametrize("more", [HALF, DEEP])
def test_a_guard_is_answered_whatever_the_arguments_of_its_call(
    tmp_path: Path, path: str, more: str
) -> None:
    body = (
        f'{{"digest": {HALF}, "action": {{"tool": {HALF}, "arguments": {{"a": {more}}}}}, '
        f'"run": {{"id": {HALF}, "agent": {HALF}}}, "targets": [{HALF}], "arguments": {{"a": {more}}}}}'
    )

    async def attack() -> int:
        async with collector(tmp_path, document=GATE) as (_, client):
            answer = await client.post(
                path, content=body, headers={"content-type": "application/json"}
            )
        return answer.status_code

    assert asyncio.run(attack()) == 200


def test_an_approval_of_a_call_that_was_cut_covers_no_other_call(tmp_path: Path) -> None:
    """What lies too deep is not shown: two calls that differ there are two requests."""

    async def attack() -> set[str]:
        numbers: set[str] = set()
        async with collector(tmp_path, document=ASKS) as (_, client):
            for last in ("1", "2", "2"):
                more = '{"a":' * 100 + last + "}" * 100
                answer = await client.post(
                    HOOK_PATH, content=event(more), headers={"content-type": "application/json"}
                )
                numbers |= set(re.findall(r"Approval (\d+)", answer.text))
        return numbers

    assert len(asyncio.run(attack())) == 3


def test_names_of_any_length_fill_no_memory(tmp_path: Path) -> None:
    """Names of tools are remembered by thousands: each was kept as long as it was sent."""

    async def attack() -> int:
        async with collector(tmp_path, document=GATE) as (_, client):
            tracemalloc.start()
            for number in range(60):
                name = json.dumps(f"{number}" + "tool_x" * 40_000)
                await client.post(
                    HOOK_PATH,
                    content=event("1", tool=name, run=name),
                    headers={"content-type": "application/json"},
                )
            held, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return held

    assert asyncio.run(attack()) < 8_000_000
