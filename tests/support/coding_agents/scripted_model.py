"""A scripted model on loopback, in the five APIs that agents speak.

The next move depends on the request alone: how many tool results it carries. So retries, titles
and other requests beside the task do no harm, and any number of agents may ask.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from tests.support.coding_agents import model_apis
from tests.support.coding_agents.model_apis import Answer, Asked


class Move(NamedTuple):
    """What the model does next: a call of a kind of tool, or its last words."""

    kind: str  # shell | read | agent | text
    value: str


NAMES = {
    "shell": ("Bash", "bash", "exec_command", "shell", "shell_command", "run_shell_command",
              "run_commands", "execute_command", "exec"),
    "read": ("Read", "read", "read_file", "view", "read_files"),
    "agent": ("Agent", "Task", "task", "agent", "codebase_investigator"),
}  # fmt: skip
MAIN = {"shell": ("command", "cmd", "commands"), "read": ("file_path", "filePath", "path", "files"),
        "agent": ("prompt", "objective")}  # fmt: skip


def shell(command: str) -> Move:
    return Move("shell", command)


def read(path: str) -> Move:
    return Move("read", path)


def agent(prompt: str) -> Move:
    return Move("agent", prompt)


@dataclass(slots=True)
class Script:
    """Moves by a word in the conversation's first message; "" is for all others."""

    moves: Mapping[str, Sequence[Move]]
    last: str = "Done: the status is green."
    asked: list[Asked] = field(default_factory=list[Asked])

    def next(self, asked: Asked) -> Move:
        self.asked.append(asked)
        marker = next((word for word in self.moves if word and word in asked.prompt), "")
        moves = self.moves.get(marker, ())
        if not asked.tools or asked.results >= len(moves):
            return Move("text", self.last)
        return moves[asked.results]

    def answer(self, asked: Asked, number: int) -> Answer:
        """The next move, as a call of one of the agent's own tools."""
        move = self.next(asked)
        if move.kind == "text":
            return Answer(text=move.value)
        return Answer([call_of(move, asked.tools)])


def call_of(move: Move, tools: Any) -> tuple[str, dict[str, Any]]:
    """The agent's own tool of that kind, with arguments by its schema; else its shell."""
    name = next((name for name in NAMES[move.kind] if name in tools), None)
    if name is None and move.kind == "read":
        return call_of(shell(f"cat {move.value}"), tools)
    assert name is not None, f"no tool for {move.kind} among {sorted(tools)}"
    schema: Any = tools[name]
    known: Any = schema.get("properties") or {}
    main = next((key for key in MAIN[move.kind] if key in known), MAIN[move.kind][0])
    given: dict[str, Any] = {main: filled(known.get(main) or {}, move.value)}
    for key in schema.get("required") or ():
        if key not in given:
            kind = "general" if name == "task" else "general-purpose"
            given[key] = filled(known.get(key) or {}, kind if "type" in key else "x")
    return name, given


def filled(schema: Any, text: str) -> Any:
    """A value of a schema that carries a text."""
    kind = schema.get("type")
    if schema.get("enum"):
        return text if text in schema["enum"] else schema["enum"][0]
    if kind == "array":
        items: Any = schema.get("items") or {}
        return [{"path": text}] if items.get("type") == "object" else [text]
    return {"boolean": False, "integer": 1, "number": 1}.get(str(kind), text)


class Plays(Protocol):
    """Whatever knows what the model says next."""

    def answer(self, asked: Asked, number: int) -> Answer: ...


Played = TypeVar("Played", bound=Plays)


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    server: ScriptedModel[Plays]  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.respond(200, b"", "text/plain")

    def do_GET(self) -> None:
        models = {"object": "list", "data": [{"id": "scripted-1", "object": "model"}]}
        self.respond(200, json.dumps(models).encode(), "application/json")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        asked = model_apis.asked_of(self.path, body)
        if asked is None:
            self.respond(404, b"{}", "application/json")
            return
        number = next(self.server.numbers)
        body = model_apis.answer_of(asked, self.server.script.answer(asked, number), number)
        self.respond(200, body, model_apis.content_type(asked))

    def respond(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("request-id", f"req_{next(self.server.numbers):08d}")  # as Anthropic does
        self.end_headers()
        self.wfile.write(body)


class ScriptedModel(ThreadingHTTPServer, Generic[Played]):
    """A server of a script while inside; `url` has no path."""

    daemon_threads = True

    def __init__(self, script: Played) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.numbers = iter(range(1, 1_000_000))
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
