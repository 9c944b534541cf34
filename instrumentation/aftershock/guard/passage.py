"""A call's way through the gate: what it waits for, what was found, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from aftershock.approval import Gate
from aftershock.gate.admission import ALLOWED, Admission, Reason, admission
from aftershock.gate.decide import Call
from aftershock.model import Tier


class Request(NamedTuple):
    """Something to ask the collector."""

    path: str
    body: Mapping[str, Any]
    timeout_s: float


class Work(NamedTuple):
    """Something of the author's to do on another thread, within a time."""

    function: Callable[[], Any]
    timeout_s: float


class Change(NamedTuple):
    """Wait until something changed on the channel."""

    waiter: Future[None]
    timeout_s: float | None  # None: for as long as it takes


Wait = Request | Change | Work
Part = Generator[Wait, Any, "Progress"]  # a part of the way, such as asking for an approval


@dataclass(frozen=True, slots=True)
class Progress:
    """What a call's way has found so far."""

    found: Admission = ALLOWED
    facts: tuple[Mapping[str, Any], ...] = ()  # handed to the agent with the answer
    ticket: int | None = None
    answered_by: str | None = None
    unreachable: bool = False
    granted: bool = False  # an approval was spent on this call
    held_ns: int = 0  # that it waited for people
    examined: tuple[str, ...] = ()  # what is known of the call's assumptions
    canary: int | None = None  # the step of its rollout that the call is
    notice: str = ""  # what the model is told with the result of a call that passes

    def because(self, *reasons: Reason) -> Progress:
        """With further reasons."""
        known = {(reason.code, reason.text) for reason in self.found.reasons}
        new = (reason for reason in reasons if (reason.code, reason.text) not in known)
        return replace(self, found=admission((*self.found.reasons, *new)))

    def answered(self, *reasons: Reason) -> Progress:
        """The question is settled: what only asked no longer counts; these reasons do."""
        kept = [reason for reason in self.found.reasons if reason.gate is not Gate.ASK]
        return replace(self, found=admission((*kept, *reasons)))


@dataclass(frozen=True, slots=True)
class Passage:
    """How a call came to the gate, and what was done with it."""

    call: Call
    progress: Progress
    enforced: bool = True  # False: it was only observed
    tier: Tier | None = None  # None: it did not matter, because every tier is allowed

    @property
    def admission(self) -> Admission:
        """What was decided."""
        return self.progress.found

    @property
    def passes(self) -> bool:
        """True where the call runs."""
        return self.admission.lets_pass or not self.enforced
