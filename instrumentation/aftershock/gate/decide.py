"""decide: what is done with one call, by the policy and by what its run did before.

Facts, loops, budgets and explanations are judged by the rules that the collector judges with, on
the run as it would stand with this call as its newest step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aftershock.approval import Gate
from aftershock.gate.admission import ALLOWED, Admission, Code, Reason, admission
from aftershock.gate.assumptions import examine_fact, reasons_of
from aftershock.gate.budgets import MY_BUDGET, Today, over_budget, over_shared_budgets
from aftershock.gate.explaining import EXPLAIN, without_explanation
from aftershock.gate.provenance import ShownTexts, from_others
from aftershock.model import Action, Finding, Level, Outcome, Run, Step, StepKind, Tier
from aftershock.policy.filled_safeguards import fact_assumptions, requires_explanation
from aftershock.policy.policy import Policy, describe, rule_of
from aftershock.policy.tiers import guess_tier
from aftershock.rules import rule_of as rule_named
from aftershock.rules.actions import key_of
from aftershock.rules.tail import is_spaced, tail_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from aftershock.limits import Limits

FACT_RULES = ("missing_fact", "failed_fact", "stale_fact")
LOOP_RULES = ("repeated_action", "action_cycle", "error_streak")
CALL = "the-call"  # span id of a call that has not begun


@dataclass(frozen=True, slots=True)
class Call:
    """A call that wants to run."""

    tool: str
    arguments: Mapping[str, Any]
    run_id: str = ""
    agent: str | None = None
    targets: tuple[str, ...] = ()  # as the tool's author names them, where the policy does not
    user: str | None = None  # on whose behalf the agent works; None: the app does not say
    dry_run: Callable[[], Any] | None = None  # what the call would do; None: nobody can say


def decide(  # noqa: PLR0917
    call: Call,
    policy: Policy,
    limits: Limits,
    run_of: Callable[[], Run | None],
    today: Today | None = None,
    shown_of: Callable[[], ShownTexts] | None = None,
) -> Admission:
    """What is done with a call. `run_of` is called only where the run's past matters.

    Its run holds the steps before the call, seen at `now_ns`; None: nothing is known of it. What
    they spent is in `dropped_spent`, so that a budget is judged without adding them up. `today`:
    what was used up before the call on the day of `now_ns`; None: days are not judged. `shown_of`:
    the texts that the run was shown; None: nobody has kept them.
    """
    rules = policy.gate
    rule = rule_of(policy, call.tool)
    if rule.gate is not None:
        tier, own = rule.tier or guess_tier(call.tool, call.arguments), rule.gate
    else:
        tier = rule.tier or guess_tier(call.tool, call.arguments)
        own = rules.for_tier(tier)
    explains = requires_explanation(rule, tier, rules)
    assumed = rule.assumes or ()
    run = run_of() if rules.needs_run or explains or assumed else None
    if run is None and own is Gate.ALLOW and not explains and not assumed:
        return ALLOWED
    reasons = list(by_policy(call, own, tier, of_tool=rule.gate is not None))
    if run is not None:
        reasons += judged(call, policy, limits, run, today)
    if explains:
        known = Run(call.run_id, (), 0) if run is None else run
        step = step_of(call, policy, known.now_ns)
        reasons += without_explanation(call.tool, call.arguments, policy, known, step)
    if assumed:
        facts = fact_assumptions(policy, call.tool, call.arguments)
        examined = [examine_fact(one, run) for one in facts]
        reasons += reasons_of(
            call.tool, examined, rules.false_assumptions, rules.unknown_assumptions
        )
    if rules.untrusted is not Gate.ALLOW and shown_of is not None and tier.has_effect:
        reasons += from_others(call.tool, call.arguments, shown_of(), rules.untrusted)
    return admission(reasons)


def by_policy(call: Call, own: Gate, tier: Tier | None, *, of_tool: bool) -> Iterator[Reason]:
    """What the policy says of the tool or of its tier, whatever the run did."""
    if own is Gate.ALLOW:
        return
    named = call.tool if of_tool else f"{tier} calls"
    text, advice = {
        Gate.WARN: (f"The policy warns of {named}.", ""),
        Gate.ASK: (f"The policy wants a person's approval for {named}.", ""),
        Gate.DENY: (
            f"The policy does not allow {named}.",
            "Do not try it in another way; say what you wanted to reach and go on without it.",
        ),
    }[own]
    yield Reason(Code.TOOL if of_tool else Code.TIER, own, text, advice)


def judged(
    call: Call, policy: Policy, limits: Limits, run: Run, today: Today | None
) -> Iterator[Reason]:
    """What the rules say of the run with this call."""
    rules = policy.gate
    step = step_of(call, policy, run.now_ns)
    with_call = replace(run, steps=(*run.steps, step))
    assert step.action is not None
    if rules.read_first and step.action.tier.has_effect and not rules.is_always_open(call.tool):
        yield from not_read_yet(run, policy)
    if rules.missing_facts is not Gate.ALLOW and step.action.requires:
        for kind in FACT_RULES:
            yield from about_facts(kind, with_call, limits, rules.missing_facts)
    if rules.unexplained is not Gate.ALLOW:
        yield from unexplained(with_call, limits, rules.unexplained)
    if rules.loops is not Gate.ALLOW:
        yield from loops(run, with_call, limits, rules.loops)
    if rules.budget is not Gate.ALLOW and call.tool not in {MY_BUDGET, EXPLAIN}:
        yield from over_budget(replace(run, steps=(step,)), limits, rules.budget)
        if today is not None:
            yield from over_shared_budgets(step, limits, today, run.now_ns, rules.budget)


def step_of(call: Call, policy: Policy, now_ns: int, span_id: str = CALL) -> Step:
    """The call as the newest, open step of its run."""
    # Fingerprints cost tens of microseconds: only decisions that need the past pay for them.
    from aftershock.fingerprints.fingerprint import (  # noqa: PLC0415
        fingerprint_arguments,
        subjects_of,
    )
    from aftershock.fingerprints.swapped import ids_of  # noqa: PLC0415

    known = describe(policy, call.tool, call.arguments)
    arguments = dict(call.arguments)
    return Step(
        run_id=call.run_id,
        span_id=span_id,
        kind=StepKind.TOOL_CALL,
        name=call.tool,
        began_at_ns=now_ns,
        ended_at_ns=None,
        agent=call.agent,
        user=call.user,
        action=Action(
            tool=call.tool,
            arguments=fingerprint_arguments(arguments),
            result=None,
            outcome=None,
            tier=known.tier,
            targets=known.targets or call.targets,
            requires=known.requires,
            polls=known.polls,
            subjects=subjects_of(arguments),
            explain=known.explain,
            gate=known.gate,
            ids=ids_of(arguments),
            waits_s=known.waits_s,
            is_portion=known.is_portion,
            sets=known.sets,
            max_time_s=known.max_time_s,
            allowed_s=known.allowed_s,
            patience_s=known.patience_s,
        ),
    )


def about_facts(kind: str, run: Run, limits: Limits, gate: Gate) -> Iterator[Reason]:
    """Required facts that the agent lacks; what only warns in a finding only warns here."""
    for finding in findings(kind, run, limits):
        yield Reason(
            kind,
            gate_at(finding, gate),
            finding.summary.replace("was called", "would be called"),
            "Read what is missing first, then call it again.",
            finding.facts,
        )


def not_read_yet(run: Run, policy: Policy) -> Iterator[Reason]:
    """Until a run has read what the policy names, it may only read."""
    known = {fact.kind for step in run.steps for fact in step.facts if fact.outcome is Outcome.OK}
    missing = [kind for kind in policy.gate.read_first if kind not in known]
    if not missing:
        return
    yield Reason(
        Code.READ_FIRST,
        Gate.DENY,
        f"This run reads first: it does not know {', '.join(missing)} yet.",
        "Until then only calls that read pass. Read these, decide again, and then act.",
        tuple(f"{kind}: {providers_of(policy, kind)}" for kind in missing),
    )


def providers_of(policy: Policy, kind: str) -> str:
    """Which tools provide a kind of fact."""
    tools = [
        rule.pattern
        for rule in policy.tools
        if any(provided.kind == kind for provided in rule.provides or ())
    ]
    return f"{' or '.join(tools)} provides it" if tools else "the app records it"


def unexplained(run: Run, limits: Limits, gate: Gate) -> Iterator[Reason]:
    """A decision is expected and none explains the call."""
    for finding in findings("unexplained_action", run, limits):
        yield Reason(
            Code.UNEXPLAINED,
            gate,
            finding.summary.replace("was called", "would be called"),
            "Record first what you decided, what you know, and why you act.",
        )


def loops(run: Run, with_call: Run, limits: Limits, gate: Gate) -> Iterator[Reason]:
    """Loops of the run that this call would continue. After a pause it is a poll, and may help."""
    step = with_call.newest
    assert step is not None
    assert step.action is not None
    for kind in LOOP_RULES:
        for finding in findings(kind, run, limits):
            if finding.level is not Level.ALARM:
                continue
            evidence = frozenset(finding.evidence)
            repeated = [s.action for s in run.steps if s.action and s.span_id in evidence]
            if not continues(kind, step.action, repeated):
                continue
            if is_spaced(tail_of(with_call, limits), step):
                return
            yield Reason(
                Code.LOOP,
                gate,
                f"This would continue a loop: {finding.summary}",
                "Do not repeat it. State what you expected, what you got each time, "
                "and what you will do differently.",
                same_each_time(repeated),
            )


def continues(kind: str, action: Action, repeated: list[Action]) -> bool:
    """True for a call that belongs to a loop: the same call, or the tool that keeps failing."""
    if kind == "error_streak":
        return any(one.tool == action.tool for one in repeated)
    return any(key_of(one) == key_of(action) for one in repeated)


def same_each_time(repeated: list[Action]) -> tuple[str, ...]:
    """What was repeated, and what was the same each time."""
    tools = list(dict.fromkeys(one.tool for one in repeated))
    lines = [f"Repeated {len(repeated)} times: {' → '.join(tools)}."]
    if len({key_of(one) for one in repeated}) == len(tools):
        lines.append("The arguments were the same each time.")
    errors = {one.error_class for one in repeated if one.error_class}
    if len(errors) == 1:
        lines.append(f"It failed the same way each time: {errors.pop()}")
    elif len({one.result.digest for one in repeated if one.result}) == len(tools):
        lines.append("The answer was the same each time.")
    return tuple(lines)


def findings(kind: str, run: Run, limits: Limits) -> Iterator[Finding]:
    """What a rule says of a run."""
    rule = rule_named(kind)
    assert rule is not None, f"no rule is called {kind}"
    yield from rule(run, limits)


def gate_at(finding: Finding, gate: Gate) -> Gate:
    """The gate for a finding: one that would not page does not hold a call back."""
    return gate if finding.level is Level.ALARM else min(gate, Gate.WARN, key=list(Gate).index)
