"""Session files that real coding agents left, in the session that all of them played."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aftershock.model import Outcome, Step, StepKind, Tier, Tokens
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.decoder import PROTOBUF, Readers, Signal, decode
from aftershock_collector.reading.read import read
from aftershock_collector.reading.without_content import without_content
from aftershock_collector.sources.recorded_files import NOT_JSON
from aftershock_collector.sources.transcripts import files as transcript_files
from aftershock_collector.sources.transcripts.files import (
    TOO_LONG,
    places,
    read_session,
    sessions_in,
)
from aftershock_collector.sources.transcripts.session import CALLED_SUCCESS, NO_CALL, Session

DATA = Path(__file__).parents[2] / "data" / "coding-agents" / "transcripts"
CLAUDE, CODEX, GEMINI = "claude-code-2.1.332", "codex-0.171.0", "gemini-cli-0.61.0"
QWEN, COPILOT, OPENCODE = "qwen-code-0.24.4", "copilot-1.0.102", "opencode-1.18.33"
ALL = (CLAUDE, CODEX, GEMINI, QWEN, COPILOT, OPENCODE)


def free(_model: str, _usage: Any) -> float | None:
    return None


def unpacked(name: str, home: Path) -> Path:
    """A recording as the agent left it in its home."""
    for path, text in json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes())).items():
        place = home / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".sql"):
            database = sqlite3.connect(place.with_suffix(""))
            database.executescript(text)
            database.close()
        else:
            place.write_text(text)
    return home


def session_in(place: Path) -> Session:
    (found,) = [read_session(files, free) for files in sessions_in([place], None)]
    assert found is not None
    return found


def pairs_of(session: Session) -> list[tuple[Span, Step]]:
    pairs: list[tuple[Span, Step]] = []
    for body in session.bodies():
        batch = decode(body, Signal.TRACES, PROTOBUF, Readers.by(EMPTY), 1)
        assert not batch.rejected
        assert not batch.failures
        pairs += [(span, step) for span, step in batch.spans if step is not None]
        assert len(pairs) >= len(batch.spans), "each span is a step"
    return pairs


@pytest.fixture
def steps(tmp_path: Path) -> Callable[[str], list[Step]]:
    def found(name: str) -> list[Step]:
        return [step for _, step in pairs_of(session_in(unpacked(name, tmp_path)))]

    return found


@pytest.mark.parametrize(
    ("name", "agent", "inferences", "calls", "prompts"),
    [
        (CLAUDE, "claude-code", 16, 14, 1),
        (CODEX, "codex", 13, 12, 1),
        (GEMINI, "gemini-cli", 10, 10, 1),
        (QWEN, "qwen-code", 13, 12, 1),
        (COPILOT, "copilot", 13, 12, 1),
        (OPENCODE, "opencode", 16, 14, 1),
    ],
)
def test_a_session_is_one_run_in_which_everything_counts_once(  # noqa: PLR0917
    steps: Callable[[str], list[Step]],
    name: str,
    agent: str,
    inferences: int,
    calls: int,
    prompts: int,
) -> None:
    found = steps(name)
    kinds = Counter(step.kind for step in found)
    people = [s for s in found if s.kind is StepKind.MESSAGE and not s.automatic]

    assert len({step.run_id for step in found}) == 1
    assert len({step.span_id for step in found}) == len(found)
    assert {str(step.agent).partition("/")[0] for step in found if step.agent} == {agent}
    assert (kinds[StepKind.INFERENCE], kinds[StepKind.TOOL_CALL]) == (inferences, calls)
    assert len(people) == prompts
    spent = {step.tokens for step in found if step.kind is StepKind.INFERENCE}
    assert spent == {Tokens(900, 40)}
    assert [step.last_ns for step in found] == sorted(step.last_ns for step in found)


@pytest.mark.parametrize("name", ALL)
def test_failures_risk_and_targets_are_those_of_the_session_that_was_played(
    steps: Callable[[str], list[Step]], name: str
) -> None:
    calls = [step for step in steps(name) if step.action is not None]
    failed = [step.error for step in calls if step.action and step.action.outcome is Outcome.FAILED]
    grave = [step.action for step in calls if step.action and step.action.tier is Tier.DESTRUCTIVE]

    assert [error for error in failed if error != "tool_error"] == [
        "exit_code_1",
        "exit_code_3",
        failed[-1],
    ]
    assert str(failed[-1]).startswith("exit_code_")  # kubectl: 1 without a cluster, 127 if missing
    assert [action.targets for action in grave] == [(), ("k8s/shop/checkout",)]


@pytest.mark.parametrize(
    ("name", "called_success"), [(CLAUDE, 0), (GEMINI, 3), (QWEN, 0), (COPILOT, 3), (OPENCODE, 3)]
)
def test_whether_the_agent_calls_a_failed_command_a_success_is_recorded(
    tmp_path: Path, name: str, called_success: int
) -> None:
    pairs = pairs_of(session_in(unpacked(name, tmp_path)))
    green = [
        span
        for span, step in pairs
        if str(step.error).startswith("exit_code") and span.attributes.get(CALLED_SUCCESS)
    ]

    assert len(green) == called_success


@pytest.mark.parametrize(
    ("name", "subagent"),
    [
        (CLAUDE, "claude-code/general-purpose"),
        (QWEN, "qwen-code/general-purpose"),
        (OPENCODE, "opencode/subagent"),
    ],
)
def test_sub_agents_are_part_of_the_run_that_started_them(
    steps: Callable[[str], list[Step]], name: str, subagent: str
) -> None:
    theirs = [step for step in steps(name) if step.agent == subagent]

    assert [step.kind for step in theirs].count(StepKind.TOOL_CALL) == 1
    assert [step.kind for step in theirs].count(StepKind.INFERENCE) == 2


def test_the_agents_own_account_gives_the_cost_where_no_price_is_known(
    steps: Callable[[str], list[Step]],
) -> None:
    costs = [step.cost_usd for step in steps(CLAUDE) if step.kind is StepKind.INFERENCE]

    assert sum(cost or 0 for cost in costs) == pytest.approx(16 * 0.0044)


@pytest.mark.parametrize("name", ALL)
def test_without_content_nothing_that_was_written_remains_and_steps_are_judged_alike(
    tmp_path: Path, name: str
) -> None:
    for span, step in pairs_of(session_in(unpacked(name, tmp_path))):
        kept = without_content(span, step)
        again = read(kept, EMPTY)
        for word in (b"status.txt", b"yellow", b"Find out", b"checkout --", b"missing.txt"):
            assert word not in kept.body
        assert again is not None
        assert (again.run_id, again.span_id, again.kind, again.error) == (
            step.run_id, step.span_id, step.kind, step.error,
        )  # fmt: skip
        if step.action is not None:
            assert again.action is not None
            for part in ("tool", "tier", "targets", "outcome", "error_class", "state"):
                assert getattr(again.action, part) == getattr(step.action, part), part
            assert again.action.arguments == step.action.arguments
            assert again.action.result == step.action.result


# --- Files that are damaged, large, or of something else ---------------------------------------


def claude_file(home: Path) -> Path:
    return next(p for p in home.rglob("*.jsonl") if "subagents" not in p.parts)


def test_a_resumed_session_that_repeats_lines_counts_them_once(tmp_path: Path) -> None:
    path = claude_file(unpacked(CLAUDE, tmp_path))
    before = pairs_of(session_in(tmp_path))
    path.write_text(path.read_text() * 2)

    assert len(pairs_of(session_in(tmp_path))) == len(before)


def test_broken_lines_are_counted_and_stop_nothing(tmp_path: Path) -> None:
    path = claude_file(unpacked(CLAUDE, tmp_path))
    lines = path.read_text().splitlines()
    broken = '{"type":"assistant","message":'
    path.write_text("\n".join([broken, *lines, broken, '["type":"user"]', lines[-1][:40]]))
    session = session_in(tmp_path)

    assert session.rejected[NOT_JSON] == 4
    assert len(pairs_of(session)) == 32


@pytest.mark.parametrize("name", ALL)
def test_values_of_other_types_break_nothing(tmp_path: Path, name: str) -> None:
    unpacked(name, tmp_path)
    for path in tmp_path.rglob("*.jsonl"):
        lines: list[str] = []
        for number, line in enumerate(path.read_text().splitlines()):
            document = json.loads(line)
            key = list(document)[number % len(document)]
            wrong: list[Any] = [None, 7, "x", [1], {"a": [None]}, True]
            lines += [line, json.dumps(document | {key: wrong[number % 6]})]
        path.write_text("\n".join(lines))
    for files in sessions_in([tmp_path], None):
        session = read_session(files, free)
        assert session is not None
        for body in session.bodies():
            batch = decode(body, Signal.TRACES, PROTOBUF, Readers.by(EMPTY), 1)
            assert not batch.failures


def test_an_answer_without_its_call_is_counted(tmp_path: Path) -> None:
    path = claude_file(unpacked(CLAUDE, tmp_path))
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if '"Read"' not in line))

    assert session_in(tmp_path).rejected[NO_CALL] == 1


def test_a_line_that_is_too_long_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = claude_file(unpacked(CLAUDE, tmp_path))
    text = path.read_text()
    path.write_text('{"type":"user","text":"' + "x" * 20_000 + '"}\n' + text)
    monkeypatch.setattr(transcript_files, "LINE_BYTES_MAX", 10_000)
    session = session_in(tmp_path)

    assert session.rejected[TOO_LONG] == 1
    assert len(pairs_of(session)) == 32


def test_a_file_of_something_else_is_no_session(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text('{"a": 1}\n' * 100)
    (found,) = list(sessions_in([tmp_path], None))

    assert read_session(found, free) is None


def test_a_database_of_something_else_says_so(tmp_path: Path) -> None:
    (tmp_path / "opencode.db").write_bytes(b"no database" * 100)

    with pytest.raises(OSError, match="no database of OpenCode's"):
        list(sessions_in([tmp_path], None))


def test_all_agents_are_found_in_a_home_and_old_sessions_are_passed_over(tmp_path: Path) -> None:
    for name in ALL:
        unpacked(name, tmp_path)
    found = places({"HOME": str(tmp_path)})

    assert len(found) == 6
    assert len(list(sessions_in(found, None))) == 6
    newest = max(p.stat().st_mtime for p in tmp_path.rglob("*") if p.is_file())
    assert len(list(sessions_in(found[:5], newest + 1))) == 0


def clines(at_ms: int, role: str, *content: Any) -> dict[str, Any]:
    """A message as Cline 3.0.65 writes it."""
    message: dict[str, Any] = {
        "id": f"m{at_ms}", "role": role, "content": list(content), "ts": 1_796_147_024_000 + at_ms,
    }  # fmt: skip
    if role == "assistant":
        metrics = {"inputTokens": 900, "outputTokens": 40, "cacheReadTokens": 300}
        message |= {"modelInfo": {"id": "gpt-5", "provider": "openai"}, "metrics": metrics}
    return message


def runs(number: int, *commands: str) -> dict[str, Any]:
    given = {"commands": list(commands)}
    return {"type": "tool_use", "id": f"call_{number}", "name": "run_commands", "input": given}


def ran(number: int, **result: Any) -> dict[str, Any]:
    content = [{"query": "q", "result": "", "success": True, **result}]
    return {"type": "tool_result", "tool_use_id": f"call_{number}", "content": content}


def test_a_session_of_cline_says_of_each_command_how_it_ended(tmp_path: Path) -> None:
    failed = "Command exited with code 3"
    messages = [
        clines(0, "user", {"type": "text", "text": '<user_input mode="act">Tidy up.</user_input>'}),
        clines(300, "assistant", runs(1, "ls", "rm -rf build")),
        clines(400, "user", ran(1, result="a b")),
        clines(700, "assistant", runs(2, "exit 3")),
        clines(800, "user", ran(2, success=False, error=failed, result=f"[{failed}]")),
        clines(900, "assistant", {"type": "text", "text": "Done."}),
    ]
    document: dict[str, Any] = {
        "version": 1,
        "sessionId": "s1",
        "agent": "lead",
        "origin": {},
        "messages": messages,
    }
    place = tmp_path / ".cline" / "data" / "sessions" / "s1" / "s1.messages.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(document))
    (place.parent / "s1.json").write_text('{"session_id": "s1"}')

    session = session_in(places({"HOME": str(tmp_path)})[0])
    found = [step for _, step in pairs_of(session)]
    actions = [step.action for step in found if step.action is not None]
    asked = [step for step in found if step.kind is StepKind.MESSAGE]

    assert (session.service, session.id) == ("cline", "s1")
    assert [(one.tier, one.outcome) for one in actions] == [
        (Tier.DESTRUCTIVE, Outcome.OK),
        (Tier.WRITE, Outcome.FAILED),
    ]
    assert [step.error for step in found if step.error] == ["exit_code_3"]
    assert [step.tokens for step in found if step.kind is StepKind.INFERENCE] == (
        [Tokens(900, 40)] * 3
    )
    assert len(asked) == 1
    assert not asked[0].automatic
