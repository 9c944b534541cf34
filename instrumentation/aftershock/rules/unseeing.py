"""Actions on what was looked up in vain: every look-up of it failed, or it is destroyed."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from aftershock.model import Action, Finding, Level, Outcome, Run, Step, Tier
from aftershock.policy.setters import is_scope
from aftershock.policy.tiers import WORDS, names_effect, observes
from aftershock.rules.actions import hashes_of
from aftershock.rules.tail import tail_of
from aftershock.wire import decode_named_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "failed_fact"
TOOLS_ALARM = 2  # that failed: one may have been asked in the wrong way
CALLS_ALARM = 3  # of them that failed since one of theirs worked
ABSENT = re.compile(r"not[\s_]?found|\bnosuch|exist|unknown|\b404\b", re.IGNORECASE)
# What answers through the thing itself: that it does not answer is what was to be known.
PROBES = frozenset(
    {"alive", "connect", "health", "healthcheck", "heartbeat", "ping", "probe", "ssh"}
)
IRREVERSIBLE = frozenset({Tier.DESTRUCTIVE, Tier.DECOMMISSION})


def acted_unseeing(run: Run, limits: Limits) -> Iterator[Finding]:
    """The newest action, where the agent had tried in vain to look up what it acts on.

    Who looks something up first shows that it matters. That it is not there is an answer. What can
    be undone counts only if nothing at all is known of the thing.
    """
    step = run.newest
    if step is None or step.action is None or not is_act(step.action):
        return
    newest = newest_reads(run, limits, step, step.action)
    failed = [one for one in newest.values() if one.action and is_failed(one.action)]
    destroys = step.action.tier in IRREVERSIBLE
    if not failed or not (destroys or len(failed) == len(newest)):
        return
    tools = sorted({one.name for one in failed})
    in_vain = sum(failures_of(run, limits, step, tool) for tool in tools)
    alarm = len(tools) >= TOOLS_ALARM or in_vain >= CALLS_ALARM
    if not alarm and not destroys:
        return
    yield Finding(
        kind=KIND,
        run_id=run.id,
        subject=f"{step.action.tool}/{step.span_id}",
        level=Level.ALARM if alarm else Level.WARN,
        began_at_ns=step.began_at_ns,
        as_of_ns=run.now_ns,
        evidence=(step.span_id, *(one.span_id for one in failed))[: limits.evidence_max],
        summary=f"{step.action.tool} was called although looking it up with {' and '.join(tools)} "
        "had not worked.",
        agent=step.agent or run.agent,
        trace_id=step.trace_id,
        lasting=True,
    )


def is_act(action: Action) -> bool:
    """True for a call that names what it does to something, and did it: one may yet be refused."""
    return (
        action.tier.has_effect
        and action.outcome not in {None, Outcome.FAILED}
        and names_effect(action.tool)
        and observes(action.tool)
    )


def newest_reads(run: Run, limits: Limits, step: Step, act: Action) -> dict[str, Step]:
    """By tool, the agent's newest read of the thing that it acts on."""
    found: dict[str, Step] = {}
    named = hashes_of(act)
    for one in before(run, limits, step):
        action = one.action
        if action is None or action.outcome is None:
            continue
        if is_read_of_record(action) and named & things_of(action):
            found[one.name] = one
    return found


def is_read_of_record(action: Action) -> bool:
    """True for a read of what is known of a thing."""
    words = {word.lower() for word in WORDS.findall(action.tool)}
    return not action.tier.has_effect and not words & PROBES


def before(run: Run, limits: Limits, step: Step) -> Sequence[Step]:
    """The agent's newest actions before the newest step."""
    lane = next((lane for lane in tail_of(run, limits).lanes if lane[-1] is step), ())
    return lane[:-1]


def failures_of(run: Run, limits: Limits, step: Step, tool: str) -> int:
    """How many calls of a tool failed since one of them worked, whatever they asked for."""
    calls = [one.action for one in before(run, limits, step) if one.action and one.name == tool]
    return sum(1 for _ in takewhile(is_failed, reversed(calls)))


def things_of(action: Action) -> frozenset[str]:
    """Hashes of what a call is about, without what only says where that is, if it says more."""
    named = [named for named in map(decode_named_hash, action.subjects) if named]
    own = frozenset(hashed for name, hashed in named if not is_scope(name))
    return own or hashes_of(action)


def is_failed(action: Action) -> bool:
    """True for a look-up without an answer; "not found" is one."""
    return action.outcome is Outcome.FAILED and not ABSENT.search(action.error_class or "")
