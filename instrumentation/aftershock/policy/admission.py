"""The `gate` section of a policy: what is decided before a call runs, and what if nobody can say.

The section is off until `mode` turns it on, so that a policy that only describes tools holds
nothing back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from aftershock.approval import Gate
from aftershock.model import Tier
from aftershock.policy.entries import PolicyError
from aftershock.policy.readers import (
    read_list,
    read_mapping,
    read_one_of,
    read_seconds,
    read_text,
    read_yes_or_no,
)
from aftershock.policy.safeguard_parsing import REQUIRE

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str | int, ...]

ASSUMPTIONS = ("false_assumptions", "unknown_assumptions")
CONDITIONS = ("missing_facts", "loops", "budget", "unexplained", "untrusted")
GATE_KEYS = frozenset(
    {
        "mode",
        "tiers",
        *CONDITIONS,
        "false_assumptions",
        "unknown_assumptions",
        "explain",
        "read_first",
        "preflight",
        "inform",
        "when_unreachable",
        "always_open",
        "wait",
        "valid",
        "raises",
    }
)


class Mode(StrEnum):
    """Whether decisions hold calls back."""

    OFF = "off"
    OBSERVE = "observe"  # decide and record, hold nothing back but what a person stopped
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class GateRules:
    """What a gate does with calls that no tool's own `gate` names."""

    mode: Mode = Mode.OFF
    tiers: tuple[tuple[Tier, Gate], ...] = ()  # a tier that is not named is allowed
    missing_facts: Gate = Gate.ALLOW  # required facts were not read, in vain, or too long ago
    loops: Gate = Gate.ALLOW  # the call repeats a loop
    budget: Gate = Gate.ALLOW  # the call would exceed the agent's budget
    unexplained: Gate = Gate.ALLOW  # a decision is expected before the call and was not recorded
    untrusted: Gate = Gate.ALLOW  # an effect whose arguments come only from others' words
    # What a tool `assumes`, and what a canary must know. The tool declares it: no default allows.
    false_assumptions: Gate = Gate.DENY
    unknown_assumptions: Gate = Gate.ASK  # nothing says whether it is so: never taken for true
    explain: frozenset[Tier] = frozenset()  # tiers whose calls are held back unexplained
    read_first: tuple[str, ...] = ()  # facts that a run reads before any call with an effect
    preflight: frozenset[Tier] = frozenset()  # tiers that the collector is asked about first
    inform: bool = True  # what the agent does not know is handed to it once, and the call held
    unreachable: tuple[tuple[Tier, Gate], ...] = ()  # where an asked collector does not answer
    always_open: tuple[str, ...] = ()  # tools that save work: open when everything else is stopped
    wait_s: float = 300.0  # for a person's answer; then the model is sent on, and may try again
    valid_s: float = 3_600.0  # of a ticket, from the request on: an hour is the field's habit
    raises: bool = False  # True: a call that is held back raises in the app; False: a result

    def for_tier(self, tier: Tier) -> Gate:
        """What is done with calls of a tier."""
        for named, gate in self.tiers:  # asked at each call: a dictionary would cost more
            if named is tier:
                return gate
        return Gate.ALLOW

    def when_unreachable(self, tier: Tier) -> Gate:
        """What is done where the collector does not answer: never a silent allow of an effect."""
        default = Gate.ASK if tier.has_effect else Gate.ALLOW
        return dict(self.unreachable).get(tier, default)

    def is_always_open(self, tool: str) -> bool:
        """True for tools that only save work."""
        return any(fnmatchcase(tool, pattern) for pattern in self.always_open)

    @property
    def needs_run(self) -> bool:
        """True where a decision depends on what the run did before."""
        conditions = (self.missing_facts, self.loops, self.budget, self.unexplained, self.untrusted)
        return bool(self.read_first) or any(gate is not Gate.ALLOW for gate in conditions)


GATE_OFF = GateRules()


def read_gate(value: Any, path: Path) -> GateRules:
    """The `gate` section. Raises PolicyError."""
    body = read_mapping({} if value is None else value, path, GATE_KEYS)
    given: dict[str, Any] = {
        name: chosen
        for name in (*CONDITIONS, *ASSUMPTIONS)
        if (chosen := read_one_of(Gate, body, name, path))
    }
    for key, name in (("wait", "wait_s"), ("valid", "valid_s")):
        if (seconds := read_seconds(body, key, path)) is not None:
            given[name] = seconds
    for key in ("inform", "raises"):
        if (chosen := read_yes_or_no(body, key, path)) is not None:
            given[key] = chosen
    return GateRules(
        mode=read_one_of(Mode, body, "mode", path) or Mode.OFF,
        tiers=read_tiers(body, "tiers", path),
        preflight=read_tier_names(body, "preflight", path),
        explain=read_explained_tiers(body, path),
        unreachable=read_tiers(body, "when_unreachable", path),
        always_open=read_texts(body, "always_open", path),
        read_first=read_texts(body, "read_first", path),
        **given,
    )


def read_explained_tiers(body: Mapping[str, Any], path: Path) -> frozenset[Tier]:
    """Tiers that `explain` names; `require` names all that have an effect."""
    if body.get("explain") == REQUIRE:
        return frozenset(tier for tier in Tier if tier.has_effect)
    return read_tier_names(body, "explain", path)


def read_texts(body: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
    """A list of names."""
    listed = read_list(body.get(key) or [], (*path, key))
    return tuple(read_text(one, (*path, key, place)) for place, one in enumerate(listed))


def read_tiers(body: Mapping[str, Any], key: str, path: Path) -> tuple[tuple[Tier, Gate], ...]:
    """A gate for each tier, or one for every tier that has an effect."""
    value = body.get(key)
    if value is None:
        return ()
    if isinstance(value, str):
        gate = read_one_of(Gate, body, key, path)
        assert gate is not None, "a text is not None"
        return tuple((tier, gate) for tier in Tier if tier.has_effect)
    here = (*path, key)
    named = read_mapping(value, here, set(Tier))
    return tuple((Tier(name), read_one_of(Gate, named, name, here) or Gate.ALLOW) for name in named)


def read_tier_names(body: Mapping[str, Any], key: str, path: Path) -> frozenset[Tier]:
    """A list of tiers."""
    listed = read_list(body.get(key) or [], (*path, key))
    for place, name in enumerate(listed):
        if name not in list(Tier):
            raise PolicyError((*path, key, place), f"must be one of {', '.join(Tier)}")
    return frozenset(map(Tier, listed))
