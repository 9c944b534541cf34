"""What `aftershock doctor` examines, from the configuration to the receivers."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx

from aftershock.version import VERSION
from aftershock_collector.config import load
from aftershock_collector.config.load import ConfigurationError
from aftershock_collector.config.model import Config
from aftershock_collector.notify.receivers import paging, unpaged
from aftershock_collector.service.ports import obstacle
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.store.reader import Reader
from aftershock_collector.wording import NS, counted, lasted, quantity

FREE_BYTES_MIN = 1_000_000_000  # a quarter of what the store may grow to by default
QUIET_NS = 3_600 * NS  # telemetry that is older is worth a word
SKEW_NS = 60 * NS  # how far ahead a sender's clock may be
ANSWER_S = 3.0


class Health(StrEnum):
    """How one thing is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing that was examined; `advice` says what to do about it."""

    name: str
    health: Health
    found: str
    advice: str = ""


def examine() -> Iterator[Examined]:
    """Everything, in the order in which one thing depends on another."""
    yield Examined(
        "version", Health.OK, f"aftershock {VERSION}, Python {platform.python_version()}"
    )
    try:
        config = load.load(None, os.environ)
    except ConfigurationError as error:
        problem = str(error.problems[0])
        yield Examined("policy", Health.PROBLEM, problem, "aftershock check lists every problem")
        return
    yield policy()
    running = is_running(config)
    yield from ports(config, running=running)
    yield from store(config)
    yield receivers(config)


def policy() -> Examined:
    """The file that is used, and what is doubtful in it."""
    place = load.find(os.environ)
    doubts = load.doubtful(None, os.environ)
    named = "no aftershock.yaml, the defaults are used" if place is None else str(place)
    if doubts:
        words = f"{named}: {counted(len(doubts), 'doubt')}, first: {doubts[0]}"
        return Examined("policy", Health.WARNING, words, "aftershock check")
    return Examined("policy", Health.OK, named)


def is_running(config: Config) -> bool:
    """True where a collector answers on the configured address."""
    try:
        answer = httpx.get(f"http://{config.http}/healthz", timeout=ANSWER_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.status_code in {200, 503} and "server" not in answer.headers


def ports(config: Config, *, running: bool) -> Iterator[Examined]:
    """Whether the collector listens, or could."""
    for name, address in (("http", config.http), ("grpc", config.grpc)):
        if running:
            yield Examined(name, Health.OK, f"the collector listens on {address}")
            continue
        problem = obstacle(address)
        advice = f"set collector.{name} in aftershock.yaml, or AFTERSHOCK_{name.upper()}"
        if problem is not None:
            yield Examined(name, Health.PROBLEM, f"{address} {problem}", advice)
        else:
            free = f"no collector runs; {address} is free"
            yield Examined(name, Health.WARNING, free, "aftershock up")


def store(config: Config) -> Iterator[Examined]:
    """The store: readable, writable, with room; and what it last received."""
    place = config.store
    if not place.exists():
        yield Examined("store", Health.WARNING, f"{place} does not exist yet", "aftershock up")
        return
    try:
        with Reader.open(place) as reader:
            counts = reader.counts()
            newest = reader.runs(limit=1)
    except StoreUnavailable as error:
        problem = f"{place} cannot be read ({error.reason}): {error}"
        yield Examined("store", Health.PROBLEM, problem)
        return
    yield room(place)
    yield telemetry(newest[0].last_ns if newest else None, counts, time.time_ns())


def room(place: Path) -> Examined:
    """Whether the store can grow."""
    size = quantity(float(place.stat().st_size), "By")
    if not os.access(place, os.W_OK):
        advice = "let the collector's user write to it"
        return Examined("store", Health.PROBLEM, f"{place} is read-only", advice)
    free = shutil.disk_usage(place.parent).free
    words = f"{place}, {size}, {quantity(float(free), 'By')} free on its disk"
    if free < FREE_BYTES_MIN:
        return Examined("store", Health.WARNING, words, "free space, or lower collector.keep")
    return Examined("store", Health.OK, words)


def telemetry(newest_ns: int | None, counts: dict[str, int], now_ns: int) -> Examined:
    """Whether agents' telemetry arrives, and whether their clocks agree with this one."""
    if newest_ns is None:
        advice = "aftershock run python your_agent.py"
        return Examined("telemetry", Health.WARNING, "no agent's telemetry has arrived", advice)
    held = f"{counted(counts['runs'], 'run')}, {counted(counts['spans'], 'span')}"
    if newest_ns > now_ns + SKEW_NS:
        ahead = lasted(newest_ns - now_ns)
        words = f"{held}; the newest step is {ahead} in the future"
        return Examined("telemetry", Health.WARNING, words, "set the sender's clock by NTP")
    words = f"{held}; the newest step was {lasted(now_ns - newest_ns)} ago"
    health = Health.OK if now_ns - newest_ns < QUIET_NS else Health.WARNING
    advice = "" if health is Health.OK else "if an agent runs now, check its OTLP endpoint"
    return Examined("telemetry", health, words, advice)


def receivers(config: Config) -> Examined:
    """Who is paged."""
    if problem := unpaged(config.on_call):
        return Examined("receivers", Health.PROBLEM, problem)
    named = ", ".join(paging(config.on_call))
    return Examined("receivers", Health.OK, f"{named}; aftershock send-test-page tries them")
