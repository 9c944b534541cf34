"""What a page says: the incident's findings as short answers to the questions of a person on call.

In this order: what the agent did and why, what it did not know, what broke, how sure that is,
whether it still goes on, where it runs, how to stop and undo it, what to do next.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence

from aftershock.grade import grade_of, percent
from aftershock.model import Claim, Finding, Impact
from aftershock.rules import Lifetime, rule_of
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.notify.page import Section
from aftershock_collector.notify.run_context import RunContext
from aftershock_collector.store.incidents import AlertLink
from aftershock_collector.wording import (
    NO_AGENT,
    NS,
    attribution_words,
    candidates,
    change_words,
    clean,
    counted,
    exact_link,
    lasted,
    odds,
    who,
    zoned_clock,
    zoned_time,
)

TITLE_CHARS_MAX = 150  # Slack's header block holds no more
ITEMS_MAX = 4  # of any list on a page; the timeline has the rest
CONTEXT_KINDS = frozenset({"missing_fact", "failed_fact", "stale_fact", "dropped_fact"})


def title_of(finding: Finding) -> str:
    """One sentence that can stand alone on a lock screen."""
    if finding.impact is not None:
        return clean(attribution_words(finding.impact), TITLE_CHARS_MAX)
    summary = clean(finding.summary, TITLE_CHARS_MAX)
    agent = who(finding.agent)
    return clean(summary if agent in summary else f"{agent}: {summary}", TITLE_CHARS_MAX)


def sections_of(
    lead: Claim,
    findings: Sequence[Finding],
    context: RunContext,
    *,
    number: int | None = None,
    alerts: Sequence[AlertLink] = (),
    closing: str | None = None,
) -> tuple[Section, ...]:
    """The sections of a page.

    Args:
        lead: the finding that the page's title is about.
        findings: all findings of the incident, and warnings of the same runs.
        context: what is known of the lead's run.
        number: of the incident, where it has one.
        alerts: the infrastructure's own alerts.
        closing: why the incident is closed; None while it is open.
    """
    others = [finding for finding in findings if finding.id != lead.finding.id]
    found = (
        action_section(lead.finding, context),
        goal_section(context),
        unknown_section(lead.finding, others),
        damage_section(lead.finding, others),
        alerts_section(alerts),
        certainty_section(lead.finding),
        progress_section(lead, context, closing),
        also_section(lead.finding, others),
        place_section(lead.finding, context),
        stop_section(lead.finding, context, closing),
        undo_section(context),
        next_section(lead, number, closing),
        closing_section(lead, closing),
    )
    return tuple(section for section in found if section.lines)


def listed(items: Sequence[str]) -> tuple[str, ...]:
    """Items, each as one clean line, with a count of those that are left out."""
    shown = [clean(item) for item in items[:ITEMS_MAX]]
    more = len(items) - ITEMS_MAX
    return (*shown, *([f"and {more} more"] if more > 0 else []))


def action_section(finding: Finding, context: RunContext) -> Section:
    """The call with its time and its harmless arguments, which the title's sentence has not."""
    impact = finding.impact
    if impact is None:
        whole = [finding.summary] if title_of(finding).endswith("…") else []
        lines = [*whole, call_sentence(finding, context), *finding.facts]
        return Section("What the agent did", listed(lines))
    call = f"called {clean(context.call or impact.tool, 160)}"
    when = f"{zoned_time(impact.acted_at_ns)}"
    text = f"{who(impact.agent)} {call} on {clean(impact.entity, 80)} at {when}"
    return Section("What the agent did", (text,))


def call_sentence(finding: Finding, context: RunContext) -> str:
    """Which call a finding is about and when it was made; for several, the first and the last."""
    since = zoned_time(finding.began_at_ns)
    if context.call is None or context.acted_at_ns is None:
        return f"since {since}"
    call = clean(context.call, 160)
    if context.acted_at_ns - finding.began_at_ns < NS:
        return f"called {call} at {since}"
    return f"called {call}, first at {since}, last at {zoned_clock(context.acted_at_ns)}"


def goal_section(context: RunContext) -> Section:
    """What the agent was asked to do, where it recorded that."""
    return Section("Its goal", (clean(context.goal, 160),) if context.goal else ())


def unknown_section(finding: Finding, others: Sequence[Finding]) -> Section:
    """Trouble that it had not read, and facts that it never got."""
    label = "What it did not know"
    if finding.kind in CONTEXT_KINDS:
        return Section(label, ())  # the first section is about that
    gaps = list(finding.impact.context_gap) if finding.impact is not None else []
    gaps += [other.summary for other in others if other.kind in CONTEXT_KINDS]
    if not gaps and finding.impact is not None:
        return Section(label, ("nothing that we could see",))
    return Section(label, listed(gaps))


def damage_section(finding: Finding, others: Sequence[Finding]) -> Section:
    """The degradation and its lead time; for other findings, what has been linked so far."""
    label = "What broke"
    impact = finding.impact
    if impact is None:
        linked = [attribution_words(other.impact) for other in others if other.impact is not None]
        return Section(
            label, listed(linked or ["no degradation has been linked to this run so far"])
        )
    if impact.change is None:
        return Section(label, (clean(impact.entity, 80),))
    words = change_words(impact.change)
    if impact.lead_ns is not None:
        words += f", {lasted(impact.lead_ns)} after the call"
    return Section(label, (words,))


def alerts_section(alerts: Sequence[AlertLink]) -> Section:
    """Alerts of the infrastructure that belong to the incident."""
    found = [
        f"{alert.name} on {alert.entity} since {zoned_clock(alert.began_at_ns)}" for alert in alerts
    ]
    return Section("Alerts", listed(found))


def certainty_section(finding: Finding) -> Section:
    """In words first, then the number, the alternatives and the odds."""
    label = "How sure"
    impact = finding.impact
    if impact is None:
        evidence = counted(len(finding.evidence), "step")
        return Section(label, (f"seen, not inferred; the evidence is {evidence}",))
    logged = tuple(map(clean, impact.logged[:ITEMS_MAX]))
    if link := exact_link(impact):
        return Section(label, (link, *logged))
    if impact.probability is None:
        return Section(label, ("not enough data",))
    lines = [f"{sure_words(impact.probability)}; {alternatives_words(impact)}"]
    if impact.comparable:
        windows = counted(impact.comparable, "earlier window")
        lines.append(f"How unusual: {odds(impact.parts.own)}, compared with {windows}")
    lines += logged
    lines += [f"Less sure, because: {clean(one)}" for one in impact.missing[:ITEMS_MAX]]
    return Section(label, tuple(lines))


def sure_words(probability: float) -> str:
    """The word of the title's sentence before the number, such as: Probable (91 %)."""
    return f"{grade_of(probability).capitalize()} ({percent(probability)})"


def alternatives_words(impact: Impact) -> str:
    """The other explanations with their shares, "no agent action" always among them."""
    rated = [(name, share) for name, share, own in candidates(impact) if not own]
    shown = [pair for pair in rated if pair[0] == NO_AGENT]
    shown += [pair for pair in rated if pair not in shown][: ITEMS_MAX - len(shown)]
    return "otherwise " + " · ".join(
        f"{name} {percent(share)}" for name, share in sorted(shown, key=lambda pair: -pair[1])
    )


def progress_section(lead: Claim, context: RunContext, closing: str | None) -> Section:
    """Whether the trouble lasts, as of the last moment that is known, and whether the run does."""
    label = "Still happening"
    finding, impact = lead.finding, lead.finding.impact
    run = run_words(context)
    if impact is None:
        if closing is not None or is_about_action(finding):
            return Section(label, run)
        return Section(label, (f"yes, as of {zoned_clock(finding.as_of_ns)}",))
    measured_ns = max([impact.judged_at_ns, *(one.times_ns[-1] for one in impact.charts[:1])])
    words = f"yes, as measured at {zoned_clock(measured_ns)}"
    if impact.recovered_at_ns is not None:
        words = f"no: it recovered at {zoned_clock(impact.recovered_at_ns)}"
    return Section(label, (words, *run))


def run_words(context: RunContext) -> tuple[str, ...]:
    """Whether the agent is still at work, as far as its telemetry shows."""
    if context.ended_at_ns is not None:
        return (f"the run ended at {zoned_clock(context.ended_at_ns)}",)
    if context.last_ns is None:
        return ()
    return (f"the run is not over; its last sign of life is of {zoned_clock(context.last_ns)}",)


def is_about_action(finding: Finding) -> bool:
    """True for a finding about what an agent did, which stays true; False for one about a state."""
    rule = rule_of(finding.kind)
    return rule is not None and rule.lifetime is Lifetime.ACTION


def also_section(finding: Finding, others: Sequence[Finding]) -> Section:
    """Other findings of the incident that no other section has."""
    rest = [
        other.summary for other in others if other.kind not in CONTEXT_KINDS and not other.impact
    ]
    if finding.kind in CONTEXT_KINDS:
        rest += [other.summary for other in others if other.kind in CONTEXT_KINDS]
    same = Counter(rest)  # four calls that hang are one sentence
    lines = [words if count == 1 else f"{words} ({count} times)" for words, count in same.items()]
    return Section("Also found", listed(lines))


def place_section(finding: Finding, context: RunContext) -> Section:
    """Whose agent it is and where it runs."""
    pairs = (
        ("agent", who(finding.agent)),
        ("in a run of", context.agent if finding.agent != context.agent else None),
        ("team", context.team),
        ("service", context.service),
        ("environment", context.environment),
        ("cluster", context.cluster),
    )
    words = " · ".join(f"{name} {clean(value, 80)}" for name, value in pairs if value)
    run, trace = clean(finding.run_id, 80), clean(finding.trace_id, 32)
    ids = f"run {run}" + (f" · trace {trace}" if trace else "")
    return Section("Where", (words, f"run and trace {run}" if run == trace else ids))


def stop_section(finding: Finding, context: RunContext, closing: str | None) -> Section:
    """How to end the run: by an order where it obeys orders, and by ending its process.

    A run that is over gets no command: its process may be another one's by now.
    """
    label = "How to stop it"
    if closing is not None:
        return Section(label, ())
    if context.ended_at_ns is not None:
        return Section(label, ("there is nothing to stop: the run is over",))
    if not context.is_gated:
        return Section(label, (stop_words(context),))
    run = shlex.quote(clean(finding.run_id, 80))
    order = f"aftershock stop {run} --because WHY"
    return Section(label, (order, f"if it does not obey: {stop_words(context)}"))


def stop_words(context: RunContext) -> str:
    """A command, and who named the process: whoever sends telemetry can claim any.

    A run whose steps name several processes gets no command: one of them may be somebody else's.
    """
    if context.is_mixed:
        return "its steps name several processes: end the one that you know is the agent's"
    names = [clean(part, 80) for part in (context.process or "").split("/")]
    source = (
        f" (as its telemetry says, sent from {clean(context.peer, 60)})" if context.peer else ""
    )
    match names:
        case ["pid", host, pid] if pid.isdecimal():
            return f"kill {pid} on host {shlex.quote(host)}{source}"
        case ["container", host, container]:
            return f"docker stop {shlex.quote(container)} on host {shlex.quote(host)}{source}"
        case ["pod", namespace, pod]:
            return f"kubectl {shlex.join(['-n', namespace, 'delete', 'pod', pod])}{source}"
        case _:
            return "end the process that it runs in"


def undo_section(context: RunContext) -> Section:
    """How to undo the action, where the policy says so."""
    return Section("How to undo it", (clean(context.undo),) if context.undo else ())


def next_section(lead: Claim, number: int | None, closing: str | None) -> Section:
    """Commands for whoever sits at a terminal."""
    run = shlex.quote(clean(lead.finding.run_id, 80))
    lines = [f"aftershock timeline {run}"]
    if number is not None and closing is None:
        lines.insert(0, f"aftershock ack {number} --by YOU")
        if lead.finding.impact is not None:
            lines.append(f"aftershock feedback {number} agent --by YOU --because WHY")
    return Section("What to do", tuple(lines))


def closing_section(lead: Claim, closing: str | None) -> Section:
    """When and why it was closed."""
    if closing is None:
        return Section("Closed", ())
    why = closing or closing_words(lead) or "over"
    at_ns = lead.closed_at_ns
    return Section("Closed", (f"{'' if at_ns is None else f'at {zoned_clock(at_ns)}: '}{why}",))
