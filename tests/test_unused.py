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
    # http.server and socketserver
    "do_GET", "do_POST", "do_PUT", "log_message", "protocol_version", "wbufsize",
    "disable_nagle_algorithm", "daemon_threads", "request_queue_size",
    # OpenTelemetry, by entry points and by its processors' interfaces
    "Completion", "on_completion", "Distro", "_configure", "load_instrumentor", "Configurator",
    "configure", "after_instrumentation", "on_start", "on_end",
    # uvicorn, requests, protobuf
    "capture_signals", "should_exit", "trust_env", "error_message",
    # Python itself
    "__getattr__", "__loader__",
}  # fmt: skip
# Names of the wire and of enumerations that are complete whether or not each is used yet, and public
# functions that only agents call.
COMPLETE = {
    "CONSUMER", "STATUS_OK", "negative_offset", "DEPLOY", "FLAG", "ENDS", "chose", "in_a_hurry",
    "with_care",
}  # fmt: skip

# Unused today. May only shrink.
UNUSED = {
    "is_inverted",
    "CACHE_READ_TOKENS", "CACHE_WRITE_TOKENS", "OLD_CACHE_WRITE_TOKENS", "REASONING_TOKENS",
    "SeriesKey", "any_agent", "app_state", "closed_at", "JSON_CHARS_MIN",
    "decode_requested_call", "drop_counts", "from_plain",
    "judging", "more_findings", "newest_incident", "on_broken_pipe", "onset_range_ns",
    "open_findings", "queued_at_ns", "save_snapshot", "scrape_seconds", "scrapes", "servers",
    "snapshot", "unapplied_responses", "words_in_all",
}  # fmt: skip


@pytest.mark.slow
def test_nothing_is_defined_that_only_tests_use() -> None:
    """Dead code: what neither another part of the product nor a template names."""
    found = Vulture()
    folders = [str(ROOT / folder) for folder in CHECKED]
    found.scavenge(folders)  # pyright: ignore[reportUnknownMemberType]
    templates = "\n".join(
        path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in package.rglob("*")
        if path.suffix in {".html", ".js", ".jinja"}
    )
    unused = [
        f"{Path(item.filename).relative_to(ROOT)}:{item.first_lineno} {item.name}"
        for item in found.get_unused_code(min_confidence=60)
        if item.name not in CALLED_BY_OTHERS | COMPLETE | UNUSED
        and not re.search(rf"\b{item.name}\b", templates)
    ]

    assert unused == []
