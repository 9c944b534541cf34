"""After the play: the merged timeline, the page with its series, the pages sent, what to try."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from aftershock.policy.policy import Policy
from aftershock_collector.demo import on_call
from aftershock_collector.demo.processes import FailedError
from aftershock_collector.demo.stage import Stage
from aftershock_collector.notify.approval_page import KIND as APPROVAL
from aftershock_collector.notify.page import Page
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.serialization import from_plain
from aftershock_collector.views.chart import Plot
from aftershock_collector.views.html import timeline_document
from aftershock_collector.views.terminal import timeline_text
from aftershock_collector.views.timeline import Timeline, lay_out


@dataclass(frozen=True, slots=True)
class Reading:
    """What customers and the database saw at one moment."""

    at_ns: int
    numbers: dict[str, Any]

    @property
    def words(self) -> str:
        """For the progress display."""
        words: list[str] = []
        if checkout := self.numbers.get("checkout"):
            words.append(f"checkout p95 {checkout['p95_ms']} ms")
            words.append(f"{checkout['errors']} of {checkout['answers']} failed")
        if database := self.numbers.get("database"):
            used, most = database["connections_used"], database["connections_max"]
            words.append(f"{used} of {most} connections")
        return ", ".join(words)


def report(
    stage: Stage,
    readings: Sequence[Reading],
    pages: Sequence[tuple[int, on_call.Page]],
    out: Path,
    console: Console,
) -> None:
    """Print the merged timeline, write the page, and say what was sent and what to try next."""
    timeline = merged(stage)
    timeline_text.show(timeline, console)
    sent = [("on call", at_ns, from_plain(Page, page)) for at_ns, page in pages]
    place = out / "timeline.html"
    place.write_text(
        timeline_document.render(timeline, extra=plots(readings), pages=sent), encoding="utf-8"
    )
    console.print()
    if all(page.kind == APPROVAL for _, _, page in sent):
        console.print("Nobody was paged.", style="bold green")
    for _, _, page in sent:
        asked = page.kind == APPROVAL
        words = f"Asked: {page.title}" if asked else f"Paged: {page.kind}: {page.title}"
        console.print(words, style="bold", markup=False, highlight=False, soft_wrap=True)
    if change := customers_words(readings):
        console.print(change, markup=False, highlight=False, soft_wrap=True)
    console.print(f"Timeline page: {place.resolve().as_uri()}", soft_wrap=True, markup=False)
    console.print("\nTry next:", style="bold")
    plays = f"demo{' --coding-agent' if stage.shop.developer else ''}"
    home, command = shlex.quote(str(stage.home)), shlex.quote(command_as_started())
    for hint in (
        f"AFTERSHOCK_HOME={home} {command} findings",
        f"AFTERSHOCK_HOME={home} {command} runs",
        f"{command} {plays} --guarded   # the same day, with a gate before the tools"
        if sent
        else f"{command} {plays}",
        f"{command} run python your_agent.py   # beside `{command} up`",
    ):
        console.print(f"  {hint}", markup=False, highlight=False, soft_wrap=True)


def customers_words(readings: Sequence[Reading]) -> str:
    """How many customers failed in the first and in the last second; "" where nobody came."""
    seen = [one.numbers["checkout"] for one in readings if "checkout" in one.numbers]
    if not seen:
        return ""
    first, last = (f"{one['errors']} of {one['answers']}" for one in (seen[0], seen[-1]))
    return f"Customers who failed at checkout: {first} in the first second, {last} in the last."


def command_as_started() -> str:
    """How a shell finds our command: by its name, or by the path that it was started by."""
    started = Path(sys.argv[0])
    on_path = shutil.which("aftershock") is not None or started.name != "aftershock"
    return "aftershock" if on_path else str(started)


def merged(stage: Stage) -> Timeline:
    """Everything that the collector knows of the play, read from its store."""
    policy = Policy.from_mapping(yaml.safe_load(stage.policy.read_text(encoding="utf-8")))
    with Reader.open(stage.home / "aftershock.db") as reader:
        runs = reader.runs()
        if not runs:
            log_end = stage.children.started[-1].last_words()  # an agent's
            raise FailedError(f"the collector saw no run.\n{log_end}")
        return lay_out(
            [step for run in runs for step in reader.steps(run.run_id, policy)],
            reader.claims(),
            [impact for run in runs for impact in reader.impacts(run.run_id)],
            reader.changes(min(run.began_at_ns for run in runs), max(run.last_ns for run in runs)),
        )


def plots(readings: Sequence[Reading]) -> list[Plot]:
    """What customers and the database saw, as series that no attribution carries."""
    shown = (
        ("service/checkout", "customers' p95", "ms", ("checkout", "p95_ms")),
        ("service/checkout", "customers who failed", "1/s", ("checkout", "errors")),
        ("db/orders", "connections in use", "", ("database", "connections_used")),
        ("service/catalog", "customers' p95", "ms", ("catalog", "p95_ms")),
    )
    return [
        Plot(
            entity,
            metric,
            unit,
            tuple(
                (reading.at_ns, float(reading.numbers[source][key]))
                for reading in readings
                if source in reading.numbers
            ),
        )
        for entity, metric, unit, (source, key) in shown
    ]
