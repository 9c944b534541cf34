"""A coding agent's sub-agent deletes rows through a shell: who did it is certain, and preventable."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aftershock.grade import Grade
from aftershock_collector.demo import infrastructure, postgres
from aftershock_collector.demo.agents.coding_agent import CodingAgent, Settings
from aftershock_collector.demo.model_server import (
    Messages,
    ModelServer,
    Reply,
    by_turn,
    call,
    text_of,
    text_reply,
)
from aftershock_collector.demo.processes import Children, FailedError
from aftershock_collector.demo.summary import Reading, customers_words
from tests.demo.test_incident import PROGRAM, Played, play
from tests.support.coding_agents.canary import Request, attributes_read, vanished
from tests.support.coding_agents.record_telemetry import DATA, Recorder

PROGRAMS = postgres.find_programs()
CLIENT = None if PROGRAMS is None else postgres.find_client(PROGRAMS)
needs_postgres = pytest.mark.skipif(CLIENT is None, reason=postgres.NEEDED)
FAILED = re.compile(
    r"failed at checkout: \d+ of \d+ in the first second, (\d+) of (\d+) in the last"
)


@pytest.fixture(scope="module")
def deleted(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("coding"), "--coding-agent", "--seconds", "15")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Played:
    out = tmp_path_factory.mktemp("coding-guarded")
    return play(out, "--coding-agent", "--guarded", "--seconds", "15")


def database_log(played: Played) -> list[str]:
    """What developers did, as PostgreSQL wrote it."""
    lines = (played.out / "logs" / "postgres.log").read_text().splitlines()
    return [line for line in lines if "developer@orders" in line]


def failed_at_the_end(played: Played) -> tuple[int, int]:
    found = FAILED.search(" ".join(played.printed.split()))
    assert found, played.printed
    return int(found[1]), int(found[2])


@needs_postgres
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_page_names_the_sub_agent_what_it_deleted_and_that_this_is_certain(
    deleted: Played,
) -> None:
    (page,) = deleted.pages
    (impact,) = deleted.impacts.values()
    body = "\n".join(page["body"])

    assert re.fullmatch(
        r"claude-code/a\w+'s Bash degraded db/orders \(certain\): DELETE customers deleted \d+ rows\.",
        page["title"],
    )
    assert "in a run of claude-code" in body
    assert impact.label == Grade.CERTAIN
    assert impact.agent == page["agent"]


@needs_postgres
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_link_is_the_trace_in_the_databases_own_log_and_the_rows_are_gone(
    deleted: Played,
) -> None:
    (impact,) = deleted.impacts.values()
    (line,) = [one for one in database_log(deleted) if "statement: delete" in one]
    rows = re.search(r"DELETE (\d+)", deleted.printed)
    failed, asked = failed_at_the_end(deleted)

    assert f"00-{impact.trace_id}-" in line
    assert rows
    assert impact.change is not None
    assert impact.change.detail == f"deleted {rows[1]} rows"
    assert failed > asked / 2  # nine in ten customers are not known any more


@needs_postgres
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_stranger_reads_what_is_played_and_that_the_parent_denies_it(deleted: Played) -> None:
    printed = " ".join(deleted.printed.replace("│", " ").split())

    assert "A stand-in plays Claude Code" in printed
    assert "Real are PostgreSQL and its log, the shell, psql, the rows" in printed
    assert "I did not delete anything." in printed
    assert "demo --coding-agent --guarded" in printed
    assert deleted.left_behind == []
    assert deleted.took_s < 120


@needs_postgres
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_with_the_gate_the_deletion_is_held_back_and_nothing_breaks(guarded: Played) -> None:
    printed = " ".join(guarded.printed.replace("│", " ").split())

    assert guarded.pages == []
    assert guarded.impacts == {}
    assert "The policy does not allow destructive calls." in printed
    assert "Nobody was paged." in printed
    assert "The deletion was held back." in printed
    assert "Bash: failed: denied" in printed
    assert [line for line in database_log(guarded) if "delete" in line] == []
    assert [line for line in database_log(guarded) if "statement: select count" in line]
    failed, asked = failed_at_the_end(guarded)
    assert failed <= asked / 10  # of a busy machine
    assert guarded.left_behind == []


# --- Without a play -------------------------------------------------------------------------------


def test_without_postgresql_one_sentence_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "find_programs", lambda: None)

    with Children(tmp_path) as children, pytest.raises(FailedError) as raised:
        infrastructure.open_shop_for_developers(children, tmp_path)
    assert str(raised.value) == f"a real PostgreSQL is needed: {postgres.NEEDED}"


def test_a_careful_variant_is_refused_because_there_is_none() -> None:
    asked = [PROGRAM, "demo", "--coding-agent", "--without-fault"]
    ran = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)

    assert ran.returncode == 1
    assert "--coding-agent has no careful variant" in ran.stderr


def test_customers_who_failed_are_counted_in_the_first_and_in_the_last_second() -> None:
    readings = [
        Reading(1, {}),
        Reading(2, {"checkout": {"errors": 0, "answers": 40}}),
        Reading(3, {"checkout": {"errors": 36, "answers": 41}}),
    ]

    assert customers_words(readings) == (
        "Customers who failed at checkout: 0 of 40 in the first second, 36 of 41 in the last."
    )
    assert customers_words(readings[:1]) == ""


def work(home: Path, script: Any, hook: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """One session of the stand-in: its answer, and what it sent."""
    with Recorder() as recorder, ModelServer(script) as model:
        document: dict[str, Any] = {"env": {"OTEL_EXPORTER_OTLP_ENDPOINT": recorder.url}}
        if hook:
            document["hooks"] = {"PreToolUse": [{"hooks": [{"command": hook}]}]}
        (home / ".claude").mkdir()
        (home / ".claude" / "settings.json").write_text(json.dumps(document))
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        agent = CodingAgent(Settings.of_home())
        answer = agent.work("Tidy up.")
        agent.records.close()
    return answer, recorder.kept


def delegating(messages: Messages) -> Reply:
    """A parent that delegates, and a sub-agent with a command that fails."""
    inner = by_turn(
        call("Bash", command="echo $TRACEPARENT $CLAUDE_CODE_SESSION_ID", description="x"),
        call("Bash", command="exit 3", description="x"),
        text_reply("done"),
    )
    outer = by_turn(
        call("Agent", description="x", prompt="Do it.", subagent_type="general-purpose"),
        text_reply("I did nothing."),
    )
    return (inner if "sub-agent of" in text_of(messages[0]["content"]) else outer)(messages)


def test_the_stand_in_sends_nothing_that_claude_code_does_not_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, kept = work(tmp_path, delegating, "", monkeypatch)
    sent = [Request(path.rpartition("/")[2], kind, body) for path, kind, body in kept]
    recorded = json.loads(gzip.decompress((DATA / "claude-code-2.1.332.json.gz").read_bytes()))
    real = [
        Request(one["signal"], "application/json", json.dumps(one["body"]).encode())
        for one in recorded["sessions"]["connected"]
    ]
    own = attributes_read(sent)

    assert answer == "I did nothing."
    assert {"interaction", "llm_request", "tool", "tool.execution", "tool_result"} <= own.keys()
    assert vanished(own, attributes_read(real)) == []


def test_what_a_hook_denies_the_stand_in_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"permissionDecision": "deny", "permissionDecisionReason": "not today"}
    (tmp_path / "answer.json").write_text(json.dumps({"hookSpecificOutput": answer}))
    script = by_turn(
        call("Bash", command=f"touch {tmp_path}/made", description="x"), text_reply("stopped")
    )
    work(tmp_path, script, f"cat > {tmp_path}/event.json; cat {tmp_path}/answer.json", monkeypatch)
    event = json.loads((tmp_path / "event.json").read_text())

    assert not (tmp_path / "made").exists()
    assert (event["hook_event_name"], event["tool_name"]) == ("PreToolUse", "Bash")
    assert event["tool_input"]["command"] == f"touch {tmp_path}/made"
