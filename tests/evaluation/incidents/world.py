"""A small shop whose services are scraped as Prometheus text; effects change what they report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DRAWN_MAX = 80  # latencies drawn for one scrape; counts above are scaled from them
TOPOLOGY = {
    "service/gateway": ["service/checkout", "service/catalog"],
    "service/checkout": ["service/orders"],
}
SERVICES = ("gateway", "checkout", "catalog", "orders")


@dataclass(frozen=True, slots=True)
class Effect:
    """What changes on one service between two moments, in seconds.

    `shape`: step, ramp (grows from 1 to `factor` over its time), or decay (falls back from
    `factor` with a time constant of a fifth of its time).
    """

    service: str
    metric: str  # latency | errors | rate | memory | cpu | down | panics
    since: float
    until: float = 1e9
    factor: float = 5.0
    shape: str = "step"

    def at(self, seconds: float) -> float:
        """The factor at a moment; 1 outside the effect."""
        if not self.since <= seconds < self.until:
            return 1.0
        share = (seconds - self.since) / max(self.until - self.since, 1.0)
        if self.shape == "ramp":
            return 1.0 + (self.factor - 1.0) * min(1.0, share)
        if self.shape == "decay":
            return 1.0 + (self.factor - 1.0) * float(np.exp(-5.0 * share))
        return self.factor


@dataclass(slots=True)
class Service:
    """One service and its cumulative counters."""

    name: str
    rate: float = 40.0  # requests a second
    latency: float = 0.08  # median, seconds
    spread: float = 0.5  # of the logarithm; 1.2 is a heavy tail
    errors: float = 0.002
    daily: float = 0.0  # amplitude of a slow wave in rate and latency
    counts: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    cpu: float = 0.0
    panics: float = 0.0


class World:
    """All services; `scrape` advances them and returns each one's exposition text."""

    def __init__(self, services: Sequence[Service], effects: Iterable[Effect], seed: int) -> None:
        self.services = list(services)
        self._effects = list(effects)
        self._random = np.random.default_rng(seed)

    def scrape(self, seconds: float, every_s: float) -> dict[str, str | None]:
        """Text by service; None where it does not answer."""
        return {each.name: self._text(each, seconds, every_s) for each in self.services}

    def _factor(self, service: Service, metric: str, seconds: float) -> float:
        product = 1.0
        for effect in self._effects:
            if effect.service == service.name and effect.metric == metric:
                product *= effect.at(seconds)
        return product

    def _text(self, service: Service, seconds: float, every_s: float) -> str | None:
        if self._factor(service, "down", seconds) > 1.0:
            return None
        wave = 1.0 + service.daily * float(np.sin(seconds / 3_000.0))
        rate = service.rate * wave * self._factor(service, "rate", seconds)
        count = int(self._random.poisson(rate * every_s))
        share = min(1.0, service.errors * self._factor(service, "errors", seconds))
        bad = int(self._random.binomial(count, share))
        median = service.latency * wave * self._factor(service, "latency", seconds)
        self._requests(service, "200", count - bad, median)
        self._requests(service, "500", bad, median)
        load = 0.01 * rate * self._factor(service, "cpu", seconds)
        service.cpu += load * every_s * float(self._random.normal(1.0, 0.05))
        memory = 200e6 * self._factor(service, "memory", seconds)
        memory *= float(self._random.normal(1.0, 0.01))
        lines = ["# TYPE http_server_request_duration_seconds histogram"]
        for code, counts in service.counts.items():
            labels = f'http_response_status_code="{code}"'
            for bound, value in zip((*BOUNDS, "+Inf"), np.cumsum(counts), strict=True):
                lines.append(
                    f'http_server_request_duration_seconds_bucket{{{labels},le="{bound}"}} {value}'
                )
            lines.append(f"http_server_request_duration_seconds_sum{{{labels}}} 0")
            lines.append(f"http_server_request_duration_seconds_count{{{labels}}} {sum(counts)}")
        lines += [
            "# TYPE process_cpu_seconds_total counter",
            f"process_cpu_seconds_total {service.cpu}",
            "# TYPE process_resident_memory_bytes gauge",
            f"process_resident_memory_bytes {memory}",
        ]
        panics = self._factor(service, "panics", seconds)
        if panics > 1.0:
            service.panics += float(self._random.poisson(panics * every_s))
            lines += ["# TYPE worker_errors_total counter", f"worker_errors_total {service.panics}"]
        return "\n".join(lines) + "\n"

    def _requests(self, service: Service, code: str, count: int, median: float) -> None:
        if not count and code not in service.counts:
            return
        counts = service.counts.setdefault(code, [0.0] * (len(BOUNDS) + 1))
        drawn = min(count, DRAWN_MAX)
        if not drawn:
            return
        values = median * np.exp(self._random.normal(0.0, service.spread, drawn))
        places = np.bincount(np.searchsorted(BOUNDS, values), minlength=len(BOUNDS) + 1)
        scaled = np.round(places * (count / drawn))
        for place, value in enumerate(scaled.tolist()):
            counts[place] += value
