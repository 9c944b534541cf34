"""Plain words for facts and claims: the sentences that pages, timelines and tables share.

Every text that came from outside passes through `clean`: one line, bounded, no control or
invisible characters, so that a hostile tool name can neither break a layout nor hide in one.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from aftershock.approval import Approval, Gate
from aftershock.grade import PROBABLE_FROM, SUSPECTED_FROM, Effect, Grade, percent
from aftershock.model import Action, Decision, Fact, Outcome, Step, StepKind, Tier

if TYPE_CHECKING:
    from aftershock.model import Alternative, Change, Impact

NS = 1_000_000_000
TEXT_CHARS_MAX = 300  # of one sentence: three lines on a phone
RUN_CHARS = 8  # of a run's id in a narrow column; a unique prefix nearly always
NO_AGENT = "no agent action"
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
NAMED = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
SCALES = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "By": ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
}
# Gauges whose fall is the degradation: whether a target answers, shares of success.
LARGER_IS_BETTER = re.compile(
    r"^([a-z]+_|redis_master_link_)?up$|^probe_success$|success_(ratio|rate|percent)|availability$"
)
SHARES = ("errors", "ratio", "utilization", "availability")  # endings of metrics that are shares
RARE_P, UNUSUAL_P = 0.001, 0.02  # chance below which a movement is called so
_zone: tzinfo | None = UTC  # of times for people; None: the machine's own


def clean(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """One bounded line without control or invisible characters."""
    if len(text) <= chars_max and text.isprintable() and "  " not in text:
        return text.strip()  # nearly every text; what is not printable includes all of INVISIBLE
    head = text[: chars_max * 4]
    shown = "".join(" " if unicodedata.category(c) in INVISIBLE else c for c in head)
    line = " ".join(shown.split())
    return line if len(line) <= chars_max else line[: chars_max - 1].rstrip() + "…"


def shortened(text: str, chars_max: int) -> str:
    """A text within a length, cut between words where a long one stands at the cut."""
    if len(text) <= chars_max:
        return text
    head = text[: chars_max - 1]
    whole = head if text[chars_max - 1].isspace() else head.rpartition(" ")[0]
    return (whole if 2 * len(whole) > chars_max else head).rstrip() + "…"


def short(run_id: str) -> str:
    """The first characters of a run's id."""
    return clean(run_id, 64)[:RUN_CHARS]


def use_zone(zone: tzinfo | None) -> None:
    """From now on, this process writes times for people in this zone; None: the machine's own."""
    global _zone  # noqa: PLW0603  a setting of the process, as the locale is
    _zone = zone


def zone_name(at_ns: int) -> str:
    """UTC, CET, +0530: what the zone is called at a moment."""
    return local(at_ns).tzname() or "UTC"


def moment(at_ns: int) -> datetime:
    """Nanoseconds since the epoch as a time in UTC, kept within what a calendar holds."""
    seconds = min(max(at_ns // 1_000, 0) / 1e6, 253_402_214_399)
    return datetime.fromtimestamp(seconds, UTC)


def local(at_ns: int) -> datetime:
    """The same moment in the zone in which people read it."""
    return moment(at_ns).astimezone(_zone)


def offset_ms(at_ns: int) -> int:
    """How far the zone is ahead of UTC at a moment."""
    ahead = local(at_ns).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds() * 1_000)


def zoned(at: datetime) -> datetime:
    """A time as a person wrote it: without a zone, it is in the one in which people read."""
    if at.tzinfo is not None:
        return at
    return at.astimezone() if _zone is None else at.replace(tzinfo=_zone)


def clock(at_ns: int, *, tenths: bool = False) -> str:
    """12:03:41, or 12:03:41.2 where order within a second matters."""
    at = local(at_ns)
    return f"{at:%H:%M:%S}" + (f".{at.microsecond // 100_000}" if tenths else "")


def day(at_ns: int) -> str:
    """2026-01-31."""
    return f"{local(at_ns):%Y-%m-%d}"


def zoned_clock(at_ns: int, *, tenths: bool = False) -> str:
    """12:03:41 UTC."""
    return f"{clock(at_ns, tenths=tenths)} {zone_name(at_ns)}"


def zoned_time(at_ns: int) -> str:
    """2026-01-31 12:03:41 UTC."""
    return f"{day(at_ns)} {zoned_clock(at_ns)}"


def instant(at_ns: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return moment(at_ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lasted(duration_ns: int) -> str:
    """0.3 s, 42 s, 4 min 34 s, 2 h 5 min: two units at most."""
    if 0 < duration_ns < 1_000_000:
        return "< 1 ms"
    if duration_ns < NS:
        return f"{max(duration_ns, 0) / 1e6:.0f} ms"
    if duration_ns < 10 * NS:
        return f"{duration_ns / NS:.1f} s"
    left = round(duration_ns / NS)
    words: list[str] = []
    for name, size in NAMED:
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {name}")
        elif words:
            break
    return " ".join(words[:2])


def odds(nats: float) -> str:
    """How likely a movement is by chance, in words. `nats` is -ln of that chance."""
    chance_of_it = math.exp(-min(max(nats, 0.0), 30.0))
    if chance_of_it <= RARE_P:
        return "very unlikely by chance"
    return "unlikely by chance" if chance_of_it <= UNUSUAL_P else "not unusual"


def times(factor: float) -> str:
    """3.4 times, 12 times, over 1,000 times: without an exponent."""
    if not math.isfinite(factor) or factor > 1_000:
        return "over 1,000 times"
    return f"{factor:.0f} times" if factor >= 10 else f"{factor:.2g} times"


def times_usual(value: float, usual: float) -> str:
    """Such as 3.4 times its usual; empty where it hardly rose or the usual value is zero."""
    return f"{times(value / usual)} its usual" if 0 < 1.1 * usual < value else ""


def age(duration_ns: int) -> str:
    """A rounded duration in one unit: 40 s, 12 min, 1.5 h."""
    seconds = duration_ns / NS
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"


def quantity(value: float, unit: str, metric: str = "") -> str:
    """A value with its unit at a size that people read: 210 ms, 1.9 s, 41 MB, 12 %.

    `metric` tells a share from a count where both have the unit 1.
    """
    value = measured(value, metric)
    if unit == "1" and metric.endswith(SHARES):
        value, unit = value * 100.0, "%"
    for size, name in SCALES.get(unit, ()):
        if abs(value) >= size:
            return f"{digits(value / size)} {name}"
    plain = "" if unit == "1" else unit.replace("{", "").replace("}", "")
    return f"{digits(value)} {clean(plain, 20)}".strip()


def measured(value: float, metric: str) -> float:
    """A stored value as it was measured, and the other way round.

    Where larger is better, series hold one minus the value, so that a rise is always a degradation.
    """
    return 1.0 - value if LARGER_IS_BETTER.search(metric) else value


def digits(value: float) -> str:
    """Three significant digits, without an exponent for the sizes that people meet."""
    if not math.isfinite(value):
        return "–"
    if value == 0 or 0.001 <= abs(value) < 1:
        return f"{value:.3f}".rstrip("0").rstrip(".") or "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def counted(count: int, noun: str) -> str:
    """1 step, 23 steps."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def who(agent: str | None) -> str:
    """The agent's name, or what to call one that gave none."""
    return clean(agent, 60) if agent else "an unnamed agent"


def step_words(step: Step) -> str:
    """What a step did, without its outcome and without any raw content."""
    name = clean(step.name, 120)
    if step.action is not None:
        return action_words(step.action)
    if step.decision is not None:
        return decision_words(step.decision)
    if step.approval is not None:
        return approval_words(step.approval)
    if step.facts and step.kind is StepKind.FACT:
        return "was shown " + ", ".join(fact_words(fact) for fact in step.facts[:3])
    words = {
        StepKind.AGENT: f"{name} works" if name else "works",
        StepKind.INFERENCE: f"asks {name}" if name else "asks its model",
        StepKind.RETRIEVAL: f"looks up {name}",
        StepKind.HAND_OFF: f"hands over to {name}",
        StepKind.MESSAGE: f"receives: {name}",
        StepKind.APPROVAL: f"approval: {name}",
        StepKind.OUTGOING: f"reaches {', '.join(clean(t, 80) for t in step.targets) or name}",
    }
    return words.get(step.kind, name or step.kind.value)


def action_words(action: Action) -> str:
    """A tool call, and what it can touch where it has an effect."""
    tool = clean(action.tool, 80)
    if not action.tier.has_effect or not action.targets:
        return tool
    more = len(action.targets) - 2
    aimed = ", ".join(clean(target, 80) for target in action.targets[:2])
    return f"{tool} → {aimed}" + (f" and {more} more" if more > 0 else "")


def decision_words(decision: Decision) -> str:
    """What was chosen, over what, and why, as the agent put it."""
    words = f"decides: {clean(decision.chosen or decision.question, 120)}"
    if decision.over:
        words += f", over {', '.join(clean(o, 40) for o in decision.over[:4])}"
    return words + (f", because {clean(decision.because, 120)}" if decision.because else "")


def approval_words(approval: Approval) -> str:
    """Who answered what about a tool, or that nobody has yet: ✓ yes, ✗ no, ○ open."""
    tool, by = clean(approval.tool, 80), clean(approval.by or "", 60)
    if approval.outcome is Gate.ASK:
        words = f"○ asks{f' {by}' if by else ''} for approval of {tool}"
    elif approval.lets_pass:
        words = f"✓ {by or 'somebody'} approves {tool}"
    else:
        words = f"✗ {by or 'somebody'} denies {tool}"
    words += f", until {clock(approval.expires_at_ns)}" if approval.expires_at_ns else ""
    return words + (f", because {clean(approval.because, 120)}" if approval.because else "")


def fact_words(fact: Fact) -> str:
    """A fact's name, its subject, and where it came from."""
    about = f" of {clean(fact.subject, 60)}" if fact.subject not in {"", "*"} else ""
    source = f" ({clean(fact.source, 40)})" if fact.source else ""
    state = "" if fact.outcome is Outcome.OK else f", {fact.outcome.value}"
    return f"{clean(fact.kind, 60)}{about}{source}{state}"


def outcome_words(step: Step) -> str:
    """How a step ended, where that is worth a word: nothing for a step that simply worked."""
    if step.ended_at_ns is None and step.kind not in {StepKind.FACT, StepKind.MESSAGE}:
        return "not over" if step.approval is None else "not answered"
    action = step.action
    if action is not None and action.outcome not in {None, Outcome.OK}:
        why = action.error_class or step.error or ""
        return f"{action.outcome}" + (f": {clean(why, 80)}" if why else "")
    return f"failed: {clean(step.error, 80)}" if step.error else ""


def tier_words(tier: Tier) -> str:
    """How much the call could change, for a person."""
    return {Tier.READ: "reads only", Tier.WRITE: "writes"}.get(tier, tier.value)


def change_words(change: Change) -> str:
    """A change of the infrastructure in one line."""
    name, entity = clean(change.name, 80), clean(change.entity, 80)
    detail = f": {clean(change.detail, 160)}" if change.detail else ""
    verb = "left its usual range" if change.kind.value == "metric" else change.kind.value
    return f"{entity} {name} {verb}{detail}"


def attribution_words(impact: Impact) -> str:
    """One sentence, with the probability that the action degraded something where that is said."""
    sure = "" if _is_no_harm(impact) else chance(impact)
    return f"{judgement(impact)} ({sure})." if sure else f"{judgement(impact)}."


def _is_no_harm(impact: Impact) -> bool:
    small = (impact.probability or 0.0) < SUSPECTED_FROM
    return small and impact.effect in {Effect.HELPED, Effect.UNCHANGED}


def chance(impact: Impact) -> str:
    """The probability, or the grade where a link is exact; empty where nothing is known."""
    if impact.label == Grade.CERTAIN:
        return Grade.CERTAIN.value
    return "" if impact.probability is None else percent(impact.probability)


def exact_link(impact: Impact) -> str | None:
    """What brought the action's own trace back; None where nothing did."""
    change = impact.change
    if impact.label != Grade.CERTAIN or change is None:
        return None
    what = f"{change.kind.value} {clean(change.name, 80)} of {clean(change.entity, 80)}"
    return f"certain: the trace of this call came back in {what}"


def judgement(impact: Impact) -> str:
    """The grade of the attribution as a sentence, without its probability."""
    action = f"{who(impact.agent)}'s {clean(impact.tool, 80)}"
    entity = clean(impact.entity, 80)
    if impact.probability is None:
        return f"Not enough data to say whether {action} changed {entity}"
    if impact.label == Grade.CERTAIN:
        return f"{action} degraded {entity}"
    if impact.label == Grade.PROBABLE:
        return f"{action} probably degraded {entity}"
    if impact.strength >= PROBABLE_FROM:
        together = f"One of {impact.agent_actions} agent actions probably degraded {entity}"
        return f"{together}, likeliest {action}"
    if impact.label == Grade.SUSPECTED:
        return f"{action} may have degraded {entity}"
    if impact.effect is Effect.HELPED:
        return f"{action} helped {entity}: trouble that was there before ended after it"
    if impact.effect is Effect.UNCHANGED:
        return f"{action} came after trouble of {entity} began, and did not change it"
    if impact.label == Grade.POSSIBLE:
        return f"{action} possibly degraded {entity}"
    return f"No metric evidence that {action} degraded {entity}"


def alternative_words(alternative: Alternative) -> str:
    """The agent and its action; what else happened where it was no agent's action."""
    if alternative.span_id is None:
        return clean(alternative.name, 120) or NO_AGENT
    return f"{who(alternative.agent)}'s {clean(alternative.name, 80)}"


def candidates(impact: Impact) -> tuple[tuple[str, float, bool], ...]:
    """(name, probability, is the judged action) of everything that competed, likeliest first.

    "No agent action" is always among them: where no alternative names it, it has the rest.
    """
    if impact.probability is None:
        return ()
    own = (f"{who(impact.agent)}'s {clean(impact.tool, 80)}", impact.probability, True)
    others = [(alternative_words(a), a.probability, False) for a in impact.alternatives]
    if all(name != NO_AGENT for name, *_ in others):
        left = 1.0 - impact.probability - sum(a.probability for a in impact.alternatives)
        others.append((NO_AGENT, max(0.0, left), False))
    return tuple(sorted([own, *others], key=lambda c: -c[1]))
