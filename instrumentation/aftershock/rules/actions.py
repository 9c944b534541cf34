"""What calls asked, changed and returned beside earlier ones: shared by the loop rules."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from aftershock.fingerprints.asked import asked_of
from aftershock.fingerprints.fingerprint import PAGINATED
from aftershock.fingerprints.keyed import hash_public
from aftershock.model import (
    Action,
    AnswerState,
    Finding,
    Level,
    Outcome,
    Run,
    Step,
    Tier,
)
from aftershock.policy.tiers import is_motion, is_shell, names_effect
from aftershock.wire import decode_named_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.limits import Limits

Call = tuple[str, str]  # tool, digest of its arguments

# Classes of errors that are an answer: what was asked for is not there.
NOT_THERE = re.compile(r"not[\s_]?found|nosuch(?!file)\w+|\b404\b", re.IGNORECASE)
REFUSALS = frozenset({AnswerState.REFUSED, AnswerState.DENIED})
NO_CHANGE = REFUSALS | {AnswerState.UNCHANGED}
NEW_SHARE_OF_WRITES = 0.5  # writes also report times, ids and counts: most of it must be new
REPLACED_WORDS_MAX = 2  # more are another wording


def key_of(action: Action) -> Call:
    """Equal for the same call; request ids and clocks among its arguments do not matter.

    Of a read its page does not matter either; each page of what is written is work of its own.
    """
    stem = action.arguments.stem
    if stem and stem.startswith(PAGINATED) and not answers_a_question(action):
        stem = None
    return action.tool, stem or action.arguments.digest


def keys_of(action: Action) -> frozenset[int]:
    """How `Step.shown` names the result of a call: by the call's id, or by its own digest."""
    known = (action.call_id, action.result.digest if action.result else None)
    return frozenset(hash_public(key) for key in known if key)


def hashes_of(action: Action) -> frozenset[str]:
    """Hashes of what a call names, whatever its arguments are called."""
    return frozenset(named[1] for named in map(decode_named_hash, action.subjects) if named)


def changed_something(action: Action) -> bool:
    """True for a call that can have an effect, did not fail, and does not deny a change."""
    return (
        action.tier.has_effect
        and action.outcome not in (None, Outcome.FAILED)
        and action.state not in NO_CHANGE
    )


def did_a_part(action: Action) -> bool:
    """True for a call with an effect that reports another part of a larger amount as done."""
    if not action.tier.has_effect:
        return False
    bounded = action.is_portion or action.tier is Tier.DESTRUCTIVE
    return action.state is AnswerState.PART_DONE or (
        bounded and action.state is AnswerState.COUNTED
    )


def answers_a_question(action: Action) -> bool:
    """True where an answer is content: of reads, and of tools whose names say no effect."""
    return not action.tier.has_effect or not names_effect(action.tool)


def returned_nothing_new(action: Action, earlier: Action) -> bool:
    """True where the result of a call says no more than that of an earlier, equal call.

    A call that fails again returned nothing new, whatever its message; one that works at last did.
    A result that was not recorded is no evidence of progress. Of a write, which answers with new
    ids and counts each time, the wording of most of the answer is compared, but of what a shell
    printed, whose times and ids are left out, every word. A tool whose name says
    nothing of its effect counts as a write, to be safe, but its answer is no receipt.
    """
    if action.outcome is Outcome.FAILED:
        return True
    if action.result is None or earlier.result is None:
        return earlier.outcome is not Outcome.FAILED
    if earlier.outcome is Outcome.FAILED or did_a_part(action) or did_a_part(earlier):
        return False
    if action.result.digest == earlier.result.digest:
        return True
    return (
        not (answers_a_question(action) or is_motion(action.tool) or is_shell(action.tool))
        and share_new(action.result.sketch, earlier.result.sketch) <= NEW_SHARE_OF_WRITES
    )


@lru_cache(maxsize=1_024)  # prefixes of a run ask for the same pairs again; 26 MB at worst
def share_new(sketch: frozenset[int], earlier: frozenset[int]) -> float:
    """The share of an answer's items, numbers aside, that an earlier answer did not have."""
    return len(sketch - earlier) / len(sketch) if sketch else 0.0


@lru_cache(maxsize=1_024)
def is_reworded(sketch: frozenset[int], other: frozenset[int], similarity_min: float) -> bool:
    """True where two calls, whose arguments name the same, share that part of their words.

    Each must not name something in its sentences that the other does not, and one or two words
    replaced by as many others ("price of alpha", "price of beta") ask about another thing.
    """
    this, that = asked_of(sketch), asked_of(other)
    if not (this.names <= that.names or that.names <= this.names):
        return False
    only_this, only_that = len(this.words - that.words), len(that.words - this.words)
    shared = len(this.words) - only_this
    if only_this == only_that and 0 < only_this <= REPLACED_WORDS_MAX:
        return False
    if not this.words and not that.words:
        return True  # the same names in another order
    return shared >= similarity_min * (shared + only_this + only_that)


def lane_prefix(run: Run, step: Step) -> str:
    """Keeps findings about several workers of one run apart."""
    return f"{step.agent}/" if step.agent and step.agent != run.agent else ""


def loop_finding(
    run: Run,
    limits: Limits,
    *,
    kind: str,
    subject: str,
    level: Level,
    steps: Sequence[Step],
    summary: str,
    certain_from: Step | None = None,
    together: bool = False,
) -> Finding:
    """A finding about actions of one worker, or of several `together`.

    `certain_from` is the step that made it an alarm.
    """
    first, last = steps[0], steps[-1]
    spans = [step.span_id for step in steps]
    if len(spans) > limits.evidence_max:
        spans = [spans[0], *spans[1 - limits.evidence_max :]]
    return Finding(
        kind=kind,
        run_id=run.id,
        subject=subject if together else lane_prefix(run, last) + subject,
        level=level,
        began_at_ns=first.began_at_ns,
        as_of_ns=run.now_ns,
        evidence=tuple(spans),
        summary=summary,
        agent=(None if together else last.agent) or run.agent,
        trace_id=last.trace_id,
        facts=() if certain_from is None else spent_since(run, certain_from),
    )


def spent_since(run: Run, certain: Step) -> tuple[str, ...]:
    """What the run spent after a loop was certain: what stopping it then would have saved."""
    since = [step for step in run.steps if step.began_at_ns > certain.began_at_ns]
    if not since:
        return ()
    tokens = sum(step.tokens.total for step in since if step.tokens)
    seconds = max(0, run.now_ns - certain.last_ns) / 1e9
    parts = ["1 step" if len(since) == 1 else f"{len(since)} steps"]
    if tokens:
        parts.append(f"{tokens:,} tokens")
    if seconds >= 1:
        parts.append(f"{seconds:,.0f} s")
    return (f"Spent since the loop was certain: {', '.join(parts)}.",)
