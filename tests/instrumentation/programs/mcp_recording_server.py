"""An HTTP server that keeps each request as it came, and answers as the call's tool is named."""

from __future__ import annotations

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

DONE = [{"type": "text", "text": "done"}]
PORT, KEPT = int(sys.argv[1]), Path(sys.argv[2])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the test reads the file."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with KEPT.open("ab") as file:
            headers = {name.lower(): value for name, value in self.headers.items()}
            file.write(json.dumps([headers, body.decode("latin-1")]).encode() + b"\n")
        try:
            message: Any = json.loads(body)
        except ValueError:
            message = {}
        given = cast("list[Any]", message if isinstance(message, list) else [message])
        calls = [cast("dict[str, Any]", one) for one in given if isinstance(one, dict)]
        answers = [
            {"jsonrpc": "2.0", "id": one["id"], "result": {"content": DONE, "tool": tool_of(one)}}
            for one in calls
            if "id" in one
        ]
        kind, packed = "application/json", False
        answer = json.dumps(answers if isinstance(message, list) else answers[:1]).encode()
        if b"get_bomb" in body:
            answer, packed = gzip.compress(b" " * 200_000_000), True
        if b"get_odd" in body:  # as clients read it: an id as text, and the last of two keys
            result = json.dumps({"content": DONE})
            text = f'{{"id": "{calls[0]["id"]}", "Result": 1, "result": 1, "result": {result}}}'
            answer = text.encode()
        if b"get_events" in body:
            kind, answer = "text/event-stream", b"data: " + answer[1:-1] + b"\r\r"
        if "get_input" in str(calls) and "requestState" not in str(calls):
            asked = {"resultType": "input_required", "requestState": "round-1"}
            answer = json.dumps({"jsonrpc": "2.0", "id": calls[0]["id"], "result": asked}).encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answer)))
        if packed:
            self.send_header("content-encoding", "gzip")
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_POST  # noqa: N815  (the name that http.server looks for)

    def do_GET(self) -> None:
        """A stream without an event and without an end."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.flush()
        self.rfile.read(1)


def tool_of(call: dict[str, Any]) -> str:
    params: Any = call.get("params")
    return str(cast("dict[str, Any]", params).get("name")) if isinstance(params, dict) else ""


if __name__ == "__main__":
    ThreadingHTTPServer.request_queue_size = 512
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
