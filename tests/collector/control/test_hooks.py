"""`aftershock gate`: each coding agent's event in, its answer out; a real process each time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aftershock
from aftershock.gate.hooks import read_event
from aftershock_collector.access.tokens import Scope, Tokens
from tests.instrumentation.running import environment
from tests.support.commands import Main, printed_data
from tests.support.live_collector import live_collector

SCRIPT = Path(aftershock.__path__[0]) / "guard" / "aftershock-gate"
GATE = {"mode": "enforce", "tiers": {"destructive": "deny", "provision": "ask"}, "wait": "200ms"}
CLAUDE = {"session_id": "s1", "hook_event_name": "PreToolUse", "cwd": "/x"}


def bash(command: str) -> dict[str, Any]:
    return {**CLAUDE, "tool_name": "Bash", "tool_input": {"command": command}}


def hook(event: Any, url: str, *options: str, **more: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of one process of the hook."""
    given = event if isinstance(event, bytes) else json.dumps(event).encode()
    ran = subprocess.run(
        [sys.executable, "-m", "aftershock.guard.hook", *options],
        input=given,
        env=environment(AFTERSHOCK_COLLECTOR=url, **more),
        capture_output=True,
        check=False,
        timeout=60,
    )
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


def text_hook(event: Any, url: str, *options: str, **more: str) -> tuple[int, str, str]:
    """The same of the script, which finds the command where this environment has it."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        [str(SCRIPT), *options],
        input=json.dumps(event).encode(),
        env=environment(**{"AFTERSHOCK_COLLECTOR": url, "PATH": path, **more}),
        capture_output=True,
        check=False,
        timeout=60,
    )
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


def decision(out: str) -> tuple[str, str]:
    """(decision, reason) in the form of Claude Code."""
    printed = json.loads(out)["hookSpecificOutput"]
    assert printed["hookEventName"] == "PreToolUse"
    return printed["permissionDecision"], printed["permissionDecisionReason"]


def test_claude_code_is_answered_in_its_form_and_only_where_there_is_something_to_say(
    tmp_path: Path,
) -> None:
    with live_collector(tmp_path, {"gate": GATE}) as collector:
        assert hook(bash("git status | head"), collector.url) == (0, "", "")
        assert hook({**CLAUDE, "tool_name": "Read", "tool_input": {}}, collector.url)[1] == ""
        code, out, _ = hook(bash("ls; bash -c 'rm -rf build'"), collector.url)
        assert (code, decision(out)[0]) == (0, "deny")
        assert "Bash was not run." in decision(out)[1]
        asked = hook(bash("kubectl -n shop scale deploy/checkout --replicas 9"), collector.url)
        assert decision(asked[1])[0] == "ask"
        collector.order("stop", run="s1")
        assert "ann (127.0.0.1) stopped run s1" in decision(hook(bash("ls"), collector.url)[1])[1]


@pytest.mark.parametrize(
    ("event", "key", "word"),
    [
        (
            {"hook_event_name": "BeforeTool", "session_id": "s", "tool_name": "run_shell_command",
             "tool_input": {"command": "rm x"}},
            "decision", "deny",
        ),
        (
            {"timestamp": 1, "cwd": "/x", "toolName": "bash", "toolArgs": '{"command": "rm x"}'},
            "permissionDecision", "deny",
        ),
        (
            {"hook_event_name": "beforeShellExecution", "conversation_id": "c", "command": "rm x"},
            "permission", "deny",
        ),
        (
            {"hook_event_name": "beforeMCPExecution", "conversation_id": "c",
             "tool_name": "delete_table", "tool_input": '{"name": "x"}'},
            "permission", "deny",
        ),
        ({"sessionID": "s", "tool": "bash", "args": {"command": "rm x"}}, "deny", True),
    ],
)  # fmt: skip
def test_other_agents_are_answered_in_theirs(
    tmp_path: Path, event: dict[str, Any], key: str, word: object
) -> None:
    with live_collector(tmp_path, {"gate": GATE}) as collector:
        code, out, _ = hook(event, collector.url)

    assert (code, json.loads(out)[key]) == (0, word)
    assert "was not run" in out


def test_codex_cannot_ask_so_a_ticket_is_asked_and_spent_by_the_next_try(
    main: Main, home: Path
) -> None:
    event = bash("terraform apply -auto-approve")
    with live_collector(home, {"gate": GATE}) as collector:
        first = decision(hook(event, collector.url, "--agent", "codex")[1])
        (asked,) = printed_data(main, "approvals")
        main("approvals", "approve", str(asked["number"]), "--by", "ann")
        other = hook(bash("terraform apply -auto-approve -lock=false"), collector.url,
                     "--agent", "codex")  # fmt: skip
        second = hook(event, collector.url, "--agent", "codex")
        third = hook(event, collector.url, "--agent", "codex")

    assert first[0] == "deny"
    assert f"Approval {asked['number']} was asked for" in first[1]
    assert ("provision", {"command": "terraform apply -auto-approve"}) == (
        asked["tier"], asked["arguments"],
    )  # fmt: skip
    assert decision(other[1])[0] == "deny"
    assert second == (0, "", "")
    assert decision(third[1])[0] == "deny"


def kubectl_in(folder: Path) -> str:
    """A PATH with a program `kubectl` that says what it was asked."""
    program = folder / "kubectl"
    program.write_text(
        '#!/bin/sh\necho "$PWD: $*; token=ghp_0123456789abcdefghij0123456789abcdef"\n'
    )
    program.chmod(0o755)
    return os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.mark.parametrize("asks", [hook, text_hook])
def test_whoever_approves_sees_what_a_command_would_do_where_the_policy_wants_that(
    asks: Callable[..., tuple[int, str, str]], main: Main, home: Path, tmp_path: Path
) -> None:
    path = kubectl_in(tmp_path)
    event = bash("kubectl scale deploy/web --replicas 9")
    document = {"gate": GATE, "tools": {"Bash": {"dry_run": True}}}
    with live_collector(home, document) as collector:
        native = decision(asks(event, collector.url, PATH=path)[1])
        asks(event, collector.url, "--agent", "codex", PATH=path)
        piped = bash("kubectl scale deploy/web --replicas 9 | tee log")
        asks(piped, collector.url, "--agent", "codex", PATH=path)
        tickets = printed_data(main, "approvals")
    expected = f"{Path.cwd()}: scale deploy/web --replicas 9 --dry-run=server"

    assert native[0] == "ask"
    assert "Dry run:\n$ kubectl" in native[1]
    assert expected in native[1]
    shown = {ticket["arguments"]["command"]: ticket["dry_run"] for ticket in tickets}
    assert expected in shown[event["tool_input"]["command"]]
    assert "ghp_" not in str(shown)
    assert shown[piped["tool_input"]["command"]] == ""


def test_a_hook_that_cannot_try_a_call_is_answered_at_once(tmp_path: Path) -> None:
    document = {"gate": GATE, "tools": {"Bash": {"dry_run": True}}}
    event = bash("kubectl scale deploy/web --replicas 9")
    with live_collector(tmp_path, document) as collector:
        answer = collector.post("/v1/guard/hook", {"event": event})

    assert decision(answer["stdout"])[0] == "ask"


def test_a_paused_agent_is_held_and_then_goes_on(tmp_path: Path) -> None:
    with live_collector(tmp_path, {}) as collector:
        collector.order("pause", agent="claude-code")
        process = subprocess.Popen(
            [sys.executable, "-m", "aftershock.guard.hook"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(AFTERSHOCK_COLLECTOR=collector.url),
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(bash("ls")).encode())
        process.stdin.close()
        time.sleep(1.5)
        held = process.poll() is None
        collector.order("resume", agent="claude-code")
        assert process.wait(20) == 0

    assert held


def test_without_a_collector_the_policy_here_decides_by_tier(tmp_path: Path) -> None:
    policy = tmp_path / "aftershock.yaml"
    nowhere = "http://127.0.0.1:9"
    read = hook(bash("ls"), nowhere)
    asked = decision(hook(bash("rm x"), nowhere)[1])
    policy.write_text("gate: {mode: enforce, when_unreachable: deny}")
    denied = decision(hook(bash("rm x"), nowhere, AFTERSHOCK_POLICY=str(policy))[1])
    policy.write_text("gate: {mode: enforce, when_unreachable: warn}")
    warned = hook(bash("rm x"), nowhere, AFTERSHOCK_POLICY=str(policy))
    policy.write_text("gate: [")
    broken = decision(hook(bash("rm x"), nowhere, AFTERSHOCK_POLICY=str(policy))[1])

    assert read == (0, "", "")
    assert (asked[0], denied[0], broken[0]) == ("ask", "deny", "ask")
    assert "did not answer" in asked[1]
    assert warned[:2] == (0, "")
    assert "did not answer" in warned[2]


@pytest.mark.parametrize("event", [b"", b"[]", b"{", b"\xff\xfe", b"null"])
def test_what_is_no_event_is_an_error_and_no_decision(event: bytes) -> None:
    code, out, err = hook(event, "http://127.0.0.1:9")

    assert (code, out) == (1, "")
    assert "no JSON object" in err


def test_an_event_that_announces_no_call_gets_no_answer(tmp_path: Path) -> None:
    with live_collector(tmp_path, {"gate": GATE}) as collector:
        assert hook({"hook_event_name": "SessionStart"}, collector.url) == (0, "", "")
        assert hook({**CLAUDE, "tool_name": 5}, collector.url) == (0, "", "")


def test_a_command_given_as_words_is_one_command() -> None:
    event = {"turn_id": "t", "tool_name": "shell", "tool_input": {"command": ["rm", "-rf", "x"]}}
    call = read_event("", event)

    assert call is not None
    assert (call.agent, call.tool) == ("codex", "shell")
    from aftershock.model import Tier
    from aftershock.policy.policy import EMPTY
    from aftershock_collector.control.actions import describe_action

    assert describe_action(EMPTY, call.tool, call.arguments).tier is Tier.DESTRUCTIVE
    words = {"command": ["echo", "rm x; rm y"]}
    assert describe_action(EMPTY, "shell", words).tier is Tier.READ


def test_the_script_answers_as_the_command_does(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    _, secret = tokens.create("laptop", [Scope.INGEST])
    event = bash("ls; bash -c 'rm -rf build'; echo 'it''s \"done\" \\n' # €")
    with live_collector(tmp_path, {"gate": GATE}) as collector:
        denied = text_hook(event, collector.url + "/", AFTERSHOCK_TOKEN=secret)
        assert denied == hook(event, collector.url, AFTERSHOCK_TOKEN=secret)
        assert decision(denied[1])[0] == "deny"
        assert text_hook(bash("git status"), collector.url) == (0, "", "")
        named = text_hook(event, collector.url, "--agent", "opencode", "--ask", "ticket")
        assert json.loads(named[1])["deny"] is True
        # A token that is refused is no answer: what the policy says for that case.
        refused = text_hook(event, collector.url, AFTERSHOCK_TOKEN="aft_wrong")
        assert decision(refused[1])[0] == "ask"


def test_the_script_without_a_collector_leaves_it_to_the_command(tmp_path: Path) -> None:
    policy = tmp_path / "aftershock.yaml"
    policy.write_text("gate: {when_unreachable: {destructive: deny}}\n")
    nowhere = "http://127.0.0.1:9"

    denied = text_hook(bash("rm -rf build"), nowhere, AFTERSHOCK_POLICY=str(policy))

    assert denied == hook(bash("rm -rf build"), nowhere, AFTERSHOCK_POLICY=str(policy))
    assert "did not answer" in denied[1]
