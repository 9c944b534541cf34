"""What is remembered of one action while it is being watched."""

from __future__ import annotations

from dataclasses import dataclass

from aftershock.model import Action, Fact, Impact, Step
from aftershock_collector.impact.gap import Trouble


@dataclass(slots=True, eq=False)
class OpenAction:
    """One action that is being watched."""

    step: Step
    action: Action
    facts: tuple[Fact, ...]
    targets: tuple[str, ...]  # entity keys as the agent's side gave them
    skew_ns: int
    effect_ns: int  # on the clock of the series
    until_ns: int
    next_ns: int  # no look before this
    newest_ns: int = 0  # newest point of a target that a look has seen
    attended: bool = False  # it was open while its time to be looked at had not passed
    looks: int = 0
    met_ns: int | None = None  # the first time that it was to be looked at
    asked: bool = False  # trouble was heard of: look again now
    troubles: list[Trouble] | None = None  # None: not looked for yet
    best: Impact | None = None  # of the look with the highest probability
    told: Impact | None = None
    following: bool = False  # the looks are over; only recovery is still of interest
