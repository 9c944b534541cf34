"""Records what real coding agents send, as test data, without what is not ours to ship.

    python -m tests.support.coding_agents.record_telemetry [AGENT…]

Identifiers of the machine and of people are replaced; the makers' own instructions and descriptions
of tools, and internals that no dialect reads, are left out.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, cast

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from aftershock_collector.commands.connect import write
from aftershock_collector.config.coding_agents import needs_of
from tests.support.coding_agents.clis import AGENTS, CACHE, CONNECTED, QUICK
from tests.support.coding_agents.sessions import PROMPT, prepared

DATA = Path(__file__).parents[2] / "data" / "coding-agents"
MESSAGES = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest,
            "metrics": ExportMetricsServiceRequest}  # fmt: skip
IDS = frozenset({"traceId", "spanId", "parentSpanId"})
REPLACED = re.compile(
    r"user\.(id|account.*|email)|organization\.id|installation\.id|host\..*|process\.(?!exit).*|os\..*"
)
LEFT_OUT = re.compile(
    r"gen_ai\.(system_instructions|tool\.definitions|tool\.description|input\.messages|output\.messages)"
    r"|ai\.prompt(\..*)?|ai\.response\.(text|providerMetadata)|request_text|hook_input"
    r"|github\.copilot\.context\..*|skills|subagents|qwen-code\.context\.usage"
    r"|gen_ai\.agent\.description"
)
READ = re.compile(
    r"ai\.|Tool\.execute|sql\.execute"
)  # of OpenCode's spans; one internal as example
INTERNALS_MAX = 20


class Recorder(ThreadingHTTPServer):
    """Keeps each request's path, content type and body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Keeper)
        self.kept: list[tuple[str, str, bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Keeper(BaseHTTPRequestHandler):
    """Takes one request, in chunks or whole."""

    protocol_version = "HTTP/1.1"
    server: Recorder  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_POST(self) -> None:
        body = b"".join(self.chunks())
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        kind = str(self.headers.get("content-type")).partition(";")[0]
        self.server.kept.append((self.path, kind, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def chunks(self) -> Any:
        if self.headers.get("transfer-encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("content-length") or 0))
            return
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()


def document_of(signal: str, kind: str, body: bytes) -> Any:
    """OTLP as JSON, with hexadecimal ids."""
    if kind == "application/json":
        return json.loads(body)
    message: Any = MESSAGES[signal].FromString(body)
    return hexadecimal(MessageToDict(message, use_integers_for_enums=True))


def hexadecimal(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: base64.b64decode(one).hex() if key in IDS else hexadecimal(one)
            for key, one in cast("dict[str, Any]", value).items()
        }
    return [hexadecimal(one) for one in cast("list[Any]", value)] if is_list(value) else value


def is_list(value: Any) -> bool:
    return isinstance(value, list)


def scrubbed(value: Any) -> Any:
    """A document without identifiers and without the makers' texts."""
    if isinstance(value, list):
        return [scrubbed(one) for one in cast("list[Any]", value) if not is_left_out(one)]
    if not isinstance(value, dict):
        return value
    found = cast("dict[str, Any]", value)
    if "key" in found and REPLACED.fullmatch(found["key"]):
        return {"key": found["key"], "value": {"stringValue": "x"}}
    return {key: scrubbed(one) for key, one in found.items()}


def is_left_out(value: Any) -> bool:
    key: Any = cast("dict[str, Any]", value).get("key") if isinstance(value, dict) else None
    return bool(LEFT_OUT.fullmatch(str(key)))


def without_internals(document: Any, seen: list[str]) -> Any:
    """OpenCode's spans, of which nearly all are internals."""
    for resource in document.get("resourceSpans", ()):
        for scope in resource["scopeSpans"]:
            kept: list[Any] = []
            for span in scope["spans"]:
                internal = span["name"].startswith("sql.")
                seen += [span["name"]] if internal else []
                if READ.match(span["name"]) and (not internal or len(seen) <= INTERNALS_MAX):
                    kept.append(span)
            scope["spans"] = kept
    return document


def record(name: str, root: Path) -> list[Any]:
    """The requests of one session."""
    with Recorder() as recorder, prepared(name, root) as (session, _):
        os.environ["HOME"] = str(session.home)
        os.environ["AFTERSHOCK_HOME"] = str(session.home / "aftershock")
        needs = needs_of(CONNECTED.get(name, name), recorder.url, None)
        list(write(needs))
        session.environment |= {**QUICK, **needs.variables}
        AGENTS[name].run(session, PROMPT)
        time.sleep(1)
    found: list[Any] = []
    seen: list[str] = []
    for path, kind, body in recorder.kept:
        signal = path.rpartition("/")[2]
        document: Any = scrubbed(document_of(signal, kind, body))
        if name == "opencode":
            document = {} if signal == "logs" else without_internals(document, seen)
        found.append({"signal": signal, "content_type": kind, "path": path, "body": document})
    return [one for one in found if one["body"]]


def main() -> None:
    for name in sys.argv[1:] or AGENTS:
        agent = AGENTS[name]
        agent.install()
        place = DATA / f"{name}-{agent.version}.json.gz"
        known: Any = json.loads(gzip.decompress(place.read_bytes())) if place.exists() else {}
        with tempfile.TemporaryDirectory(prefix="record-") as folder:
            text = json.dumps(record(name, Path(folder)), separators=(",", ":"))
            text = text.replace(folder, "/srv").replace(folder.lstrip("/"), "srv")
        sessions: Any = known.get("sessions", {})
        sessions["connected"] = json.loads(text.replace(str(CACHE), "/opt/agents"))
        text = json.dumps({**known, "sessions": sessions}, separators=(",", ":"))
        place.write_bytes(gzip.compress(text.encode(), mtime=0))
        sys.stdout.write(f"{place.name}: {place.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
