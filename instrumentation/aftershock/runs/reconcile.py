"""The life of claims: the only place that opens, updates and closes them.

`advance` updates a run's claims after one more step. `reconcile` compares the reported claims with
the derived ones, so that unchanged input reports nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from aftershock.model import Claim, Closing, Finding, Level

Claims = Mapping[str, Claim]
NO_CLAIMS: Claims = MappingProxyType({})


def advance(
    claims: Claims,
    true_now: Iterable[Finding],
    now_ns: int,
    kinds: frozenset[str] | None = None,
) -> Claims:
    """Claims after one more step, whose findings are `true_now`.

    A claim that is no longer true closes, unless it is lasting, or of a kind that was not judged
    (`kinds`: those that were; None: all). Returns `claims` itself where nothing changed, so that
    prefixes of a run share their state.
    """
    holding = {finding.id: finding for finding in true_now}
    changed: dict[str, Claim] = {}
    for identity, finding in holding.items():
        known = claims.get(identity)
        if known is None or known.closing is not None:
            changed[identity] = Claim(finding=finding, opened_at_ns=now_ns)
            continue
        merged = _merge(known.finding, finding)
        if merged is not known.finding:
            changed[identity] = replace(known, finding=merged)
    for identity, known in claims.items():
        if identity in holding or known.closing is not None or known.finding.lasting:
            continue
        if kinds is not None and known.finding.kind not in kinds:
            continue
        over = Closing.CONTRADICTED if known.finding.impact is None else Closing.RECOVERED
        changed[identity] = replace(known, closed_at_ns=now_ns, closing=over)
    return {**claims, **changed} if changed else claims


def close(
    claims: Claims, at_ns: int, closing: Closing, keep: frozenset[str] = frozenset()
) -> Claims:
    """Open claims closed, for one reason; alarms of the kinds in `keep` stay open."""
    closes = {
        identity: replace(claim, closed_at_ns=at_ns, closing=closing)
        for identity, claim in claims.items()
        if claim.closing is None and not awaits_review(claim, keep)
    }
    return {**claims, **closes} if closes else claims


def awaits_review(claim: Claim, kinds: frozenset[str]) -> bool:
    """True for an alarm about an action: only a person, or its age, ends it."""
    return claim.finding.level is Level.ALARM and claim.finding.kind in kinds


def reconcile(
    reported: Claims, derived: Claims, now_ns: int
) -> tuple[list[Claim], list[Claim], list[Claim], Claims]:
    """(opened, updated, closed, what is reported from now on).

    A claim that opened and closed between two rounds is reported as opened and closed. A claim
    that is no longer derived is retracted, because late evidence showed that it was wrong. A
    closed claim reopens only on evidence newer than its closing; older evidence is an update. A
    person's feedback is final.
    """
    opened: list[Claim] = []
    updated: list[Claim] = []
    closed: list[Claim] = []
    after: dict[str, Claim] = dict(reported)
    for identity, claim in derived.items():
        known = reported.get(identity)
        if known is None or _reopens(known, claim):
            opened.append(claim)
            if claim.closing is not None:
                closed.append(claim)
            after[identity] = claim
        elif known.closing is not Closing.FEEDBACK and _differs(known, claim):
            lived = replace(claim, opened_at_ns=known.opened_at_ns)  # the claim goes on
            closes = known.closing is None and claim.closing is not None
            (closed if closes else updated).append(lived)
            after[identity] = lived
    for identity, known in reported.items():
        if identity not in derived and known.closing is None:
            retracted = replace(known, closed_at_ns=now_ns, closing=Closing.RETRACTED)
            closed.append(retracted)
            after[identity] = retracted
    return opened, updated, closed, after


def _merge(known: Finding, seen: Finding) -> Finding:
    """The newer finding at the higher of both levels; `known` if nothing is new."""
    level = Level.ALARM if Level.ALARM in (known.level, seen.level) else Level.WARN
    began = min(known.began_at_ns, seen.began_at_ns)
    merged = replace(seen, level=level, began_at_ns=began, as_of_ns=known.as_of_ns)
    return known if merged == known else replace(merged, as_of_ns=seen.as_of_ns)


def _differs(known: Claim, claim: Claim) -> bool:
    """True if a claim closed or its finding changed."""
    if known.closing is None and claim.closing is not None:
        return True
    return claim.finding != known.finding and (known.closing is None) == (claim.closing is None)


def _reopens(known: Claim, claim: Claim) -> bool:
    if known.closing is None or known.closed_at_ns is None:
        return False
    if known.closing is Closing.FEEDBACK:
        return False
    if known.closing is Closing.RETRACTED:
        return True
    return claim.finding.as_of_ns > known.closed_at_ns
