"""Coding agents that send their own internals as spans, and who reads the few that mean something.

Nothing else is read of such an agent, and the rest is not kept: Codex and OpenCode send more than a
thousand spans for ten calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aftershock.attributes import SERVICE_NAME
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.dialects import Reading
from aftershock_collector.reading.dialects.goose import read_goose
from aftershock_collector.reading.dialects.opencode import read_opencode
from aftershock_collector.reading.dialects.qwen import read_qwen

Dialect = Callable[[Span], Reading | None]


def read_nothing(_span: Span) -> Reading | None:
    """Its log events say all that its spans say, and more."""
    return None


HTTP_CLIENTS = "@opentelemetry/instrumentation-"
OWN: Mapping[str, Dialect] = {
    "opencode": read_opencode,
    "qwen-code": read_qwen,
    "goose": read_goose,
    "gemini-cli": read_nothing,
    "codex": read_nothing,
    "codex_exec": read_nothing,
    "codex_cli_rs": read_nothing,
    "codex-app-server": read_nothing,
    "codex-tui": read_nothing,
}


def own_reader(span: Span) -> Dialect | None:
    """The only reader of a span that such an agent made itself; None: of any other span.

    Anybody may call a service `codex`. What the program made carries its name as the scope too, or
    that of the instrumentation of its HTTP client.
    """
    service = span.resource.get(SERVICE_NAME)
    if not isinstance(service, str) or service not in OWN:
        return None
    is_own = span.scope in OWN or span.scope.startswith(HTTP_CLIENTS)
    return OWN[service] if is_own else None
