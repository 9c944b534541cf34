"""The distro: how instrumentation begins in code, or under OpenTelemetry's own command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.distro import BaseDistro

from aftershock.recorder import instrumentors, providers, settings
from aftershock.recorder.activation import activate

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def instrument(*, endpoint: str | None = None, service: str | None = None) -> None:
    """Begin to record this process; best before the libraries it uses are imported.

    Args:
        endpoint: Base URL of the collector (OTLP over HTTP); default: OTEL_EXPORTER_OTLP_ENDPOINT,
            or a collector on this machine.
        service: The program's name; default: OTEL_SERVICE_NAME, or its script's name.

    Calling it again changes nothing. With a provider of the app's own, ours joins it.
    """
    if endpoint is not None:
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
    if service is not None:
        os.environ["OTEL_SERVICE_NAME"] = service
    if providers.switched_off():
        return
    settings.set_defaults()
    instrumentors.wait_for_agents(providers.start)
    activate()


class Distro(BaseDistro):
    """Ours among OpenTelemetry's distros, for `opentelemetry-instrument`."""

    def _configure(self, **kwargs: Any) -> None:
        del kwargs
        settings.set_defaults()

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Nothing at once: `after_instrumentation` lets each wait for its library."""
        del entry_point, kwargs


class Configurator:
    """Ours among OpenTelemetry's configurators: sets the providers up."""

    def configure(self, **kwargs: Any) -> None:
        """Begin at once, as whoever calls this expects."""
        del kwargs
        providers.start()


def after_instrumentation() -> None:
    """Runs after any distro has done its work: join its provider, load what it left out.

    The spans then leave through that distro's exporters, with what tracking adds to them.
    """
    if providers.switched_off():
        return
    instrumentors.wait_for_agents(lambda: providers.start(export=False))
    activate()
