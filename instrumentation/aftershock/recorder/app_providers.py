"""The app's own providers: they win, also when the app sets them after ours were set.

OpenTelemetry lets a global provider be set once. `aftershock run` sets its own at the first sign of
an agent, which may be before the app's. A provider that the app sets later replaces ours, and our
processors join it, so that the app keeps its spans and we get them too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import opentelemetry._logs._internal as logs_api
import opentelemetry.metrics._internal as metrics_api
import opentelemetry.trace as trace_api

from aftershock.recorder.drop_counters import record_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    Join = Callable[[Any], object]

# Module, its function that sets the provider, its variable that holds it.
TRACES = (trace_api, "_set_tracer_provider", "_TRACER_PROVIDER")
LOGS = (logs_api, "_set_logger_provider", "_LOGGER_PROVIDER")
METRICS = (metrics_api, "_set_meter_provider", "_METER_PROVIDER")


def yield_to_app(signal: tuple[Any, str, str], ours: object, join: Join | None = None) -> None:
    """Let a provider that the app sets later replace `ours`; `join` is called with it first."""
    module, setter, variable = signal
    set_once = getattr(module, setter, None)
    if set_once is None or not hasattr(module, variable):
        return  # another release of OpenTelemetry: the first provider stays

    def set_provider(provider: Any, log: bool) -> None:
        if getattr(module, variable) is not ours or provider is ours:
            set_once(provider, log)
            return
        setattr(module, variable, provider)
        try:
            if join is not None:
                join(provider)
        except Exception:  # noqa: BLE001 (ours: the app's provider works without us)
            record_failure("joining the app's provider")

    setattr(module, setter, set_provider)
