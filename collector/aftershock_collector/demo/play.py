"""The play: start everything, wait for a baseline, let the agents act, observe, report.

Nothing here says what is to be found: the collector receives, judges and pages by itself.
"""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from aftershock_collector.demo.approver import Approver
from aftershock_collector.demo.coding_session import WHAT_IS_REAL, CodingSession, start_session
from aftershock_collector.demo.discovery import discoverable
from aftershock_collector.demo.display import Display
from aftershock_collector.demo.on_call import OnCall
from aftershock_collector.demo.processes import Child, FailedError
from aftershock_collector.demo.stage import Stage, raised_stage
from aftershock_collector.demo.summary import Reading, report

START_S = 6.0  # about what starting takes; only the bar depends on it
BASELINE_S = 35.0  # 70 scrapes of ordinary life to compare with; more while agents start
ACTING_S = 36.0  # about what the agents take; only the bar depends on it
CODING_S = 16.0  # the same of a coding agent
AFTERWARDS_S = 4.0  # damage that follows the last call is still seen
ACTING_MAX_S = 55.0  # agents that take longer are ended: the play stays under two minutes
CATALOG_LATER_S = 4.0  # it starts faster: so both act at about the same time
READ_EVERY_S = 1.0
INTERRUPTED = 130  # what a shell answers for Ctrl-C


@dataclass(frozen=True, slots=True)
class Options:
    """What `aftershock demo` was asked for."""

    out: Path
    fault: bool = True
    guarded: bool = False  # with a gate before the agents' tools
    coding_agent: bool = False  # the play in which a sub-agent deletes rows through a shell
    keep: bool = False  # leave everything running afterwards, until Ctrl-C
    baseline_s: float = BASELINE_S
    forward: str | None = None  # an OTLP/HTTP receiver that gets everything too
    targets: Path | None = None  # a folder for service discovery by file


@dataclass(slots=True)
class Audience:
    """Watches with a person: keeps every reading, and says the newest."""

    stage: Stage
    readings: list[Reading] = field(default_factory=list[Reading])
    onlooker: Approver | CodingSession | None = None

    def observe(self, show: Callable[[str], None], until: Callable[[], bool]) -> None:
        """Look once a second until it is over. Raises FailedError where something has ended."""
        while not until():
            self.stage.must_run()
            reading = Reading(time.time_ns(), self.stage.numbers())
            self.readings.append(reading)
            show(reading.words)
            if self.onlooker is not None:
                self.onlooker.come_in()
            time.sleep(READ_EVERY_S)


def play(options: Options, console: Console) -> int:
    """Play the incident. Returns the exit code: 0 where it was played to its end."""
    logs = options.out / "logs"
    try:
        with interrupted_once():
            perform(options, console)
    except (FailedError, OSError) as error:
        console.print(f"The demo could not be played: {error}", markup=False, soft_wrap=True)
        console.print(f"All logs are in {logs}", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print(f"Stopped. Logs are in {logs}", markup=False, soft_wrap=True)
        return INTERRUPTED
    return 0


def perform(options: Options, console: Console) -> None:
    """Start, play, report, and (where asked to) leave everything running."""
    display = Display(console)
    on_call = OnCall(display.page)
    if options.coding_agent:
        console.print(WHAT_IS_REAL, style="italic")
    with contextlib.ExitStack() as standing:
        on_call_url = standing.enter_context(on_call.listening())
        with display.drawing():
            with display.stage("Starting", START_S) as show:
                stage = standing.enter_context(
                    raised_stage(
                        options.out,
                        on_call_url,
                        fault=options.fault,
                        guarded=options.guarded,
                        coding_agent=options.coding_agent,
                        forward=options.forward,
                        show=show,
                    )
                )
                if options.targets is not None:
                    standing.enter_context(discoverable(stage.shop, options.targets))
            audience = Audience(stage)
            act(stage, audience, display, options)
        pages = [page for _, page in on_call.pages]
        (options.out / "pages.json").write_text(json.dumps(pages, indent=2), encoding="utf-8")
        report(stage, audience.readings, on_call.pages, options.out, console)
        if options.guarded and audience.onlooker is not None:
            console.print(audience.onlooker.words, style="bold green")
        if options.keep:
            console.print(f"Still running at {stage.collector}; Ctrl-C stops everything.")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()


def act(stage: Stage, audience: Audience, display: Display, options: Options) -> None:
    """The play itself: ordinary life, then the agents, then what follows."""
    with display.stage(f"Ordinary life on {stage.shop.database}", options.baseline_s) as show:
        audience.observe(show, after(options.baseline_s))
    if options.coding_agent:
        code(stage, audience, display, gate=options.guarded)
    else:
        operate(stage, audience, display, guarded=options.guarded)
    with display.stage("Afterwards", AFTERWARDS_S) as show:
        audience.observe(show, after(AFTERWARDS_S))


def operate(stage: Stage, audience: Audience, display: Display, *, guarded: bool) -> None:
    """One agent scales checkout, another tunes the catalog."""
    with display.stage("Two agents act", ACTING_S) as show:
        agents = [stage.start_agent("sre_agent")]
        if guarded:
            audience.onlooker = Approver(stage, display)
        audience.observe(show, after(CATALOG_LATER_S))
        agents.append(stage.start_agent("catalog_agent"))
        too_long = after(ACTING_MAX_S)
        audience.observe(show, lambda: too_long() or not any(agent.running for agent in agents))
        finish(agents)


def code(stage: Stage, audience: Audience, display: Display, *, gate: bool) -> None:
    """A coding agent works through a shell; its sub-agent deletes rows."""
    with display.stage("A coding agent works", CODING_S) as show:
        agent = start_session(stage, gate=gate)
        audience.onlooker = CodingSession(agent, display)
        too_long = after(ACTING_MAX_S)
        audience.observe(show, lambda: too_long() or not agent.running)
        audience.onlooker.come_in()
        finish([agent])


def finish(agents: list[Child]) -> None:
    """Agents that still run are ended; one that failed is a failed demo."""
    for agent in agents:
        if agent.running:
            agent.stop()
        elif agent.process.returncode != 0:
            raise FailedError(f"{agent.name} failed.\n{agent.last_words()}")


def after(seconds: float) -> Callable[[], bool]:
    """True once so many seconds have passed."""
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() >= deadline


@contextlib.contextmanager
def interrupted_once() -> Generator[None]:
    """Ctrl-C and SIGTERM end the play; a second one must not stop the cleaning up."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]

    def interrupt(_number: int, _frame: object) -> NoReturn:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
