"""A server of lines: keeps each line that it gets, and answers requests as its tools' names say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast


def answer(message: dict[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = message.get("params") or {}
    name = params.get("name", "")
    if name == "get_error":
        return {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32602, "message": "no"}}
    if name == "get_large":
        text = "x" * 66_000_000
        return {"jsonrpc": "2.0", "id": message["id"], "result": {"content": text}}
    result = {"content": [{"type": "text", "text": f"{name} ran"}]}
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


if __name__ == "__main__":
    with Path(sys.argv[1]).open("ab", buffering=0) as kept:
        for line in sys.stdin.buffer:
            kept.write(line)
            try:
                message: Any = json.loads(line)
            except ValueError:
                continue
            is_batch = isinstance(message, list)
            batch = cast("list[dict[str, Any]]", message if is_batch else [message])
            answers = [answer(one) for one in batch if "id" in one and "method" in one]
            if answers and not str(message).count("get_for_ever"):
                out: Any = answers if is_batch else answers[0]
                sys.stdout.write(json.dumps(out) + "\n")
                sys.stdout.flush()
            if "exit" in str(message):
                raise SystemExit(7)
