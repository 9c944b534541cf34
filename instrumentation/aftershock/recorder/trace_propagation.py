"""Carrying the trace into what a tool touches, so that trouble there can point back for certain.

HTTP headers are set by the HTTP instrumentation; these are for databases and for Kubernetes.
"""

from urllib.parse import quote

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from aftershock.recorder.drop_counters import record_failure

_PROPAGATOR = TraceContextTextMapPropagator()


def annotations() -> dict[str, str]:
    """Annotations that carry the current trace, for an object that a tool changes.

    `{"metadata": {"annotations": {**aftershock.annotations(), …}}}`. Empty outside a tool call
    that is recorded. What is deleted and made anew by a controller keeps only what its template
    has, so annotate the template (`spec.template.metadata`) as well where pods matter.
    """
    carried: dict[str, str] = {}
    try:
        _PROPAGATOR.inject(carried)
    except Exception:  # noqa: BLE001  (the tool's own work matters more than its trace)
        record_failure("carrying the trace out")
        return {}
    return carried


def sql_comment() -> str:
    """A SQL comment that carries the current trace, as sqlcommenter writes it.

    `cursor.execute("UPDATE …" + aftershock.sql_comment(), values)`. It begins with a space, and is
    empty outside a tool call that is recorded. Every call makes another statement: not for
    statements that are prepared once and run often. Percent signs, which drivers read as
    placeholders, never occur.
    """
    carried = sorted(annotations().items())
    pairs = [f"{quote(key, safe='')}='{quote(value, safe='')}'" for key, value in carried]
    safe = [pair for pair in pairs if "%" not in pair]
    return f" /*{','.join(safe)}*/" if safe else ""
