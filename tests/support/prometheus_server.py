"""A real Prometheus on loopback that knows a past, and the same past as scrapes.

The Debian package `prometheus` brings both programs; CI installs it. Without them tests skip.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml

from aftershock_collector.metrics.exposition import samples_of
from aftershock_collector.metrics.measure import Measurer
from aftershock_collector.metrics.series import SeriesStore

S = 10**9
STEP_S = 15
REQUESTS = 400  # a step
BOUNDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0)
DURATION = "http_server_request_duration_seconds"

missing = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
needs_prometheus = pytest.mark.skipif(
    bool(missing), reason=f"NOT TESTED: {missing} not installed (apt-get install prometheus)"
)


@dataclass
class Service:
    """One service of the past: calm, or slow and failing from some step on."""

    name: str
    broken_from: int | None = None
    counts: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    sums: dict[str, float] = field(default_factory=dict[str, float])

    def scrape(self, step: int, random: np.random.Generator) -> list[str]:
        """The lines of one scrape; time passes with each."""
        broken = self.broken_from is not None and step >= self.broken_from
        seconds = random.lognormal(-2.3, 0.35, REQUESTS) * (5.0 if broken else 1.0)
        failed = random.random(REQUESTS) < (0.2 if broken else 0.004)
        for code, chosen in (("200", seconds[~failed]), ("500", seconds[failed])):
            for bound in (*map(str, BOUNDS), "+Inf"):
                within = int((chosen <= float(bound)).sum())
                self.counts[code, bound] = self.counts.get((code, bound), 0) + within
            self.sums[code] = self.sums.get(code, 0.0) + float(chosen.sum())
        lines: list[str] = []
        for code in ("200", "500"):
            labels = (
                f'job="{self.name}",instance="{self.name}:80",http_response_status_code="{code}"'
            )
            lines += [
                f'{DURATION}_bucket{{{labels},le="{bound}"}} {self.counts[code, bound]}'
                for bound in (*map(str, BOUNDS), "+Inf")
            ]
            lines.append(f"{DURATION}_sum{{{labels}}} {self.sums[code]:.6f}")
            lines.append(f"{DURATION}_count{{{labels}}} {self.counts[code, '+Inf']}")
        return lines


@dataclass
class Past:
    """Scrapes of some services, at times that end with `end_s`."""

    services: Sequence[Service]
    end_s: int
    steps: int = 300
    scrapes: list[tuple[int, list[str]]] = field(default_factory=list[tuple[int, list[str]]])

    def __post_init__(self) -> None:
        random = np.random.default_rng(11)
        for step in range(self.steps):
            lines = [line for each in self.services for line in each.scrape(step, random)]
            self.scrapes.append((self.at_s(step), lines))

    def at_s(self, step: int) -> int:
        """When a step was."""
        return self.end_s - (self.steps - 1 - step) * STEP_S

    def openmetrics(self) -> str:
        """Everything with its times, as promtool backfills it."""
        timed = (f"{line} {at_s}" for at_s, lines in self.scrapes for line in lines)
        return "\n".join([f"# TYPE {DURATION} histogram", *timed, "# EOF", ""])

    def rings(self) -> SeriesStore:
        """Everything as the collector's own scraping has it."""
        store, measurer = SeriesStore(), Measurer()
        head = f"# TYPE {DURATION} histogram\n"
        for at_s, lines in self.scrapes:
            text = head + "\n".join(lines) + "\n"
            measurer.record(samples_of(text, "text/plain", {}, at_s * S), store)
        return store


@contextmanager
def prometheus(
    folder: Path, past: Past | None = None, scraped: Mapping[str, str] | None = None
) -> Generator[str]:
    """A running Prometheus that was given this past; yields its URL.

    Args:
        folder: for its data and its log.
        past: scrapes of earlier.
        scraped: job to the address that it scrapes each second.
    """
    exposition, data = folder / "past.om", folder / "data"
    if past is not None:
        exposition.write_text(past.openmetrics())
        create = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
        subprocess.run([*create, str(exposition), str(data)], check=True, capture_output=True)
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [address]}]}
        for job, address in (scraped or {}).items()
    ]
    settings = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={data}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        )
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                if httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert running.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield url
    finally:
        running.terminate()
        running.wait(10)
