"""Dead code is found by a check: what no part of the product uses is deleted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from vulture import Vulture

ROOT = Path(__file__).parent.parent
PACKAGES = (ROOT / "instrumentation" / "aftershock", ROOT / "collector" / "aftershock_collector")
CHECKED = ("instrumentation", "collector", "dashboards", "alerts", "deploy", "docs")

# What vulture takes for unused: others call these by name, or read them.
CALLED_BY_OTHERS = {
    # OpenTelemetry, by entry points and by its processors' interfaces
    "Completion", "on_completion", "Distro", "_configure", "load_instrumentor", "Configurator",
    "configure", "after_instrumentation", "on_start", "on_end",
    # OpenTelemetry's invocation of an inference, which is given them
    "input_messages", "output_messages", "request_stream", "response_model_name",
    "cache_read_input_tokens", "cache_write_input_tokens", "thinking_tokens",
    # uvicorn, starlette, rich, requests, protobuf
    "app_state", "capture_signals", "servers", "should_exit", "on_broken_pipe", "trust_env",
    "error_message", "raw_headers", "regex", "to_string",
    # Python itself
    "__getattr__", "__loader__", "wordchars",
}  # fmt: skip
# Complete whether or not each part is used yet.
COMPLETE = {
    "STATUS_OK", "negative_offset",  # names of the wire
    "delegated", "held_back", "in_a_hurry", "with_care",  # what only agents call
    "closed_at",  # of a page: what webhooks read
    "onset_range_ns",  # of an attribution: kept in the store, for whoever reads it there
    "decode_requested_call",  # the other half of a codec: an attribute that other tools read
    "add_result", "compact_async",  # of working memory: what agents call
    "judging",  # of a running collector: its parts, for whoever runs one in a process of theirs
}  # fmt: skip


@pytest.fixture(scope="module")
def unused() -> dict[str, str]:
    """Where each thing stands that vulture takes for unused, and its name."""
    found = Vulture()
    folders = [str(ROOT / folder) for folder in CHECKED]
    found.scavenge(folders)  # pyright: ignore[reportUnknownMemberType]
    templates = "\n".join(
        path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in package.rglob("*")
        if path.suffix in {".html", ".js", ".jinja"}
    )
    return {
        f"{Path(item.filename).relative_to(ROOT)}:{item.first_lineno}": item.name
        for item in found.get_unused_code(min_confidence=60)
        if not re.search(rf"\b{item.name}\b", templates)
    }


@pytest.mark.slow
def test_nothing_is_defined_that_only_tests_use(unused: dict[str, str]) -> None:
    """Dead code: what neither another part of the product nor a template names."""
    known = CALLED_BY_OTHERS | COMPLETE

    assert {} == {place: name for place, name in unused.items() if name not in known}


@pytest.mark.slow
def test_what_is_used_again_leaves_the_exceptions(unused: dict[str, str]) -> None:
    assert set() == (CALLED_BY_OTHERS | COMPLETE) - set(unused.values())
