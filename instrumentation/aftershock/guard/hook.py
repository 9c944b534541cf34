"""The hook of coding agents: a new process for each call, which asks the collector and answers.

Only what Python has loaded anyway, and a socket: whatever is imported here is paid for at each
call. The collector parses the event and writes the answer in the agent's own form.
"""

from __future__ import annotations

import json
import os
import sys
import time

from aftershock.guard.connection import Connection

TYPE_CHECKING = False  # importing it from typing would cost more than all else here
if TYPE_CHECKING:
    from typing import Any

HOOK_PATH = "/v1/guard/hook"
AGENTS = ("claude-code", "codex", "gemini-cli", "qwen-code", "copilot", "cursor", "opencode")
ASK = ("native", "ticket")
EVENT_BYTES_MAX = 100_000_000  # a file that is written whole is one argument
DENIED = 2  # the exit code by which every agent understands that a call must not run
ANSWER_S = 55.0  # agents give a hook a minute; a paused call is held for less
ANSWER_LEAST_S = 5.0  # for an answer after a dry run; a call is held for as much less
USAGE = f"""\
usage: aftershock gate [--agent {{{",".join(AGENTS)}}}] [--ask {{{",".join(ASK)}}}]

The hook of coding agents: reads the event of a tool call on standard input, asks the collector,
and answers in the agent's form.

  --agent  whose event it is; default: by its shape
  --ask    who is asked where the policy wants an approval. native: the person before the agent
           (default); ticket: whoever answers `aftershock approvals`
"""


def main(argv: list[str]) -> int:
    """Answer one event. The exit code is the one that the agent expects."""
    if "--help" in argv or "-h" in argv:
        sys.stdout.write(USAGE)
        return 0
    options = dict(zip(argv[::2], argv[1::2], strict=False))
    agent, ask = options.get("--agent", ""), options.get("--ask", "native")
    if (agent and agent not in AGENTS) or ask not in ASK or set(options) - {"--agent", "--ask"}:
        sys.stderr.write(USAGE)
        return 1  # not DENIED
    raw = sys.stdin.buffer.read(EVENT_BYTES_MAX + 1)
    if len(raw) > EVENT_BYTES_MAX:
        sys.stderr.write(f"The call was not judged: its event has over {EVENT_BYTES_MAX} bytes.\n")
        return DENIED
    event = event_in(raw)
    if event is None:
        sys.stderr.write("aftershock gate: the event is no JSON object\n")
        return 1
    answer = asked(agent, ask, event)
    sys.stderr.write(str(answer.get("stderr") or ""))
    sys.stdout.write(str(answer.get("stdout") or ""))
    return int(answer.get("exit") or 0)


def event_in(raw: bytes) -> dict[str, Any] | None:
    """The event in some bytes; None where there is none."""
    try:
        event: Any = json.loads(raw)
    except (ValueError, RecursionError):
        from aftershock.gate import any_json  # noqa: PLC0415 (rarely needed)

        try:
            event = any_json.loads(raw)
        except ValueError:
            return None
    return event if type(event) is dict else None  # pyright: ignore[reportUnknownVariableType]


def asked(agent: str, ask: str, event: dict[str, Any]) -> dict[str, Any]:
    """The collector's answer, or what the policy here says for the case that there is none."""
    url = os.environ.get("AFTERSHOCK_COLLECTOR") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    token = os.environ.get("AFTERSHOCK_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection = Connection(url or "http://127.0.0.1:4318", headers)
        return decided(connection, {"agent": agent, "ask": ask, "event": event})
    except Exception as error:  # noqa: BLE001 (whatever it was, nobody has judged the call)
        from aftershock.guard.hook_alone import without_collector  # noqa: PLC0415 (rarely needed)

        return without_collector(agent, event, str(error))


def decided(connection: Connection, body: dict[str, Any]) -> dict[str, Any]:
    """The collector's answer. Where it wants that, the call is tried without an effect before."""
    began_s = time.monotonic()
    answer = connection.post(HOOK_PATH, {**body, "tries": True}, ANSWER_S)
    if not answer.get("dry_run"):
        return answer
    from aftershock.guard.dry_runs import tried  # noqa: PLC0415 (rarely needed)

    text = tried(body["agent"], body["event"])
    left_s = max(ANSWER_LEAST_S, ANSWER_S - (time.monotonic() - began_s))
    wait_s = max(1.0, left_s - ANSWER_LEAST_S)
    return connection.post(HOOK_PATH, {**body, "tried": text, "wait_s": wait_s}, left_s)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
