"""`aftershock why` as lines of text: the claim, its evidence side by side, what it did not know."""

from __future__ import annotations

import shlex
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from aftershock.grade import percent
from aftershock.model import Level
from aftershock.policy.policy import ANY
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.review.comparison import Call, Compared, Difference, Likeness, spelled
from aftershock_collector.review.explanation import State
from aftershock_collector.views.terminal.timeline_text import impact_lines
from aftershock_collector.wording import (
    attribution_words,
    clean,
    clock,
    counted,
    fact_words,
    lasted,
    outcome_words,
    short,
    step_words,
    who,
    zoned_time,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from aftershock.model import Claim
    from aftershock_collector.review.explanation import Between, Explanation, Need, Provider
    from aftershock_collector.review.spending import Saving

CENT = 0.01  # less is no saving to speak of
WIDTH_MIN = 40  # a sentence is wrapped no narrower than this
VALUE_CHARS_MAX = 100  # of one argument or line that is shown
COMMON_CHARS_MAX = 40  # that two texts may have in common before they are shown from later on
ALIKE_MAX = 4  # calls in a row that say the same; more are folded into one line
SPENT = "Spent since"  # how rules begin a line that is computed here from the run's own steps
MARKS = {
    Likeness.FIRST: "·",
    Likeness.SAME: "=",
    Likeness.NUMBERS: "~",
    Likeness.DIFFERENT: "≠",
    Likeness.UNKNOWN: "?",
}
LEGEND = (
    "= same  ~ only numbers differ  ≠ different  + new  - gone  ? not recorded  ◆ has an effect"
)
STYLES = {Likeness.DIFFERENT: "yellow", Likeness.NUMBERS: "cyan", Likeness.UNKNOWN: "dim"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text, its indentation in characters, its style where there are colours."""

    text: str
    indent: int = 0
    style: str = ""


def show(explanation: Explanation, console: Console) -> None:
    """Print to a terminal, wrapped to its width, or to a pipe, where lines stay whole."""
    width = console.width if console.is_terminal else None
    for line in wrapped(lines(explanation), width):
        console.print(line, soft_wrap=True, highlight=False)


def plain(explanation: Explanation) -> str:
    """The text without colours or wrapping."""
    return "".join(f"{line.plain}\n" for line in wrapped(lines(explanation), None))


def wrapped(found: Iterator[Line], width: int | None) -> Iterator[Text]:
    """Lines no wider than a terminal; what goes on stands under its own beginning."""
    for line in found:
        lead = " " * line.indent
        room = None if width is None else max(width - line.indent - 2, WIDTH_MIN)
        if room is None or len(line.text) <= room:
            yield Text(lead + line.text, style=line.style)
            continue
        parts = textwrap.wrap(line.text, room, drop_whitespace=True) or [""]
        for number, part in enumerate(parts):
            yield Text(lead + ("  " if number else "") + part, style=line.style)


def lines(explanation: Explanation) -> Iterator[Line]:
    """Everything, the claim first."""
    claim = explanation.claim
    yield from heading(claim)
    if claim.finding.impact is not None:
        yield Line("")
        for number, (text, style) in enumerate(impact_lines(claim.finding.impact)):
            yield Line(text, 0 if number == 0 else 2, style)
    else:
        yield from (Line(clean(f), 2) for f in claim.finding.facts if not f.startswith(SPENT))
    yield from needs(explanation)
    yield from evidence(explanation)
    if explanation.saving is not None:
        yield Line("")
        yield Line(saving_words(explanation.saving, explanation.calls), style="bold")
    yield Line("")
    run = shlex.quote(clean(claim.finding.run_id, 200))
    yield Line(f"next: aftershock timeline {run}", style="dim")


def heading(claim: Claim) -> Iterator[Line]:
    """What is claimed, about whom, since when."""
    finding = claim.finding
    alarm = finding.level is Level.ALARM
    sentence = attribution_words(finding.impact) if finding.impact is not None else finding.summary
    yield Line(
        f"{finding.level.value} {clean(finding.kind, 60)}: {clean(sentence)}",
        style="bold red" if alarm else "bold yellow",
    )
    shown = f"found {zoned_time(claim.opened_at_ns)}"
    if claim.closed_at_ns is None:
        over = "still open"
    else:
        why = closing_words(claim) or "closed"
        over = f"closed {clock(claim.closed_at_ns)}: {why}"
    yield Line(f"run {short(finding.run_id)}  {who(finding.agent)}  {shown}, {over}", style="dim")
    yield Line(f"finding {clean(finding.id, 200)}", style="dim")


# --- What it did not know --------------------------------------------------------------------


def needs(explanation: Explanation) -> Iterator[Line]:
    """Each fact that the action needed, and the tools that provide it."""
    if not explanation.needs:
        return
    acted_ns = explanation.claim.finding.began_at_ns
    yield Line("")
    yield Line("What it needed to know", style="bold")
    for need in explanation.needs:
        good = need.state is State.KNOWN
        because = f" ({clean(need.why)})" if need.why else ""
        mark = "✓" if good else "✗"
        text = f"{mark} {need_title(need)}: {need.state.value}{because}"
        yield Line(text, 2, "green" if good else "yellow")
        shown = {step.span_id for one in need.providers for step in (*one.before, *one.after)}
        for fact in need.reads:
            if fact.span_id not in shown:
                at = moment_words(fact.observed_at_ns, acted_ns)
                yield Line(f"was shown {fact_words(fact)}, {at}", 6)
        for provider in need.providers:
            yield from (Line(text, 6) for text in provider_lines(provider, acted_ns))
        if not need.providers:
            yield Line(
                "the aftershock.yaml read by this command names no tool that provides it: "
                "declare one with `provides`",
                6,
            )


def need_title(need: Need) -> str:
    """What was needed, about what, how fresh, and who says so."""
    wanted = need.requirement
    learnt = wanted.learnt_support is not None  # its subject is a hash: of no use to a person
    about = "" if wanted.subject == ANY or learnt else f" of {clean(wanted.subject, 60)}"
    fresh = "" if wanted.max_age_s is None else f", not older than {lasted_s(wanted.max_age_s)}"
    sentence = ""
    if learnt:
        share = f"{wanted.learnt_confidence or 0.0:.0%}"
        sentence = (
            f", as {share} of {counted(wanted.learnt_support or 0, 'earlier action')} had read"
        )
    return f"{clean(wanted.kind, 60)}{about}{fresh}{sentence}"


def lasted_s(seconds: float) -> str:
    """A length of time that a policy gives."""
    return lasted(int(seconds * 1e9))


def moment_words(at_ns: int, acted_ns: int) -> str:
    """A moment, and how long before or after the action it was."""
    away = f"{lasted(abs(acted_ns - at_ns))} {'before' if at_ns <= acted_ns else 'after'} it acted"
    return f"at {clock(at_ns, tenths=True)}, {away}"


def provider_lines(provider: Provider, acted_ns: int) -> Iterator[str]:
    """A tool that provides a fact, and each of the run's calls of it."""
    tool = clean(provider.tool, 60)
    calls = [*provider.before, *provider.after]
    if not calls:
        yield f"{tool} provides it: it was never called in this run"
    elif not provider.before:
        yield f"{tool} provides it: it was called only afterwards"
    for step in calls:
        # Its subject, so that a read about something else is seen as one.
        subjects = [clean(fact.subject, 60) for fact in step.facts if fact.subject != ANY]
        about = f" about {', '.join(subjects)}" if subjects else ""
        outcome = outcome_words(step) or "ok"
        at = moment_words(step.began_at_ns, acted_ns)
        yield f"{clean(step.name, 60)} was called{about} {at}: {outcome}"


# --- The steps side by side ------------------------------------------------------------------


def evidence(explanation: Explanation) -> Iterator[Line]:
    """The steps of the evidence with their differences marked, repetition folded."""
    calls = explanation.calls
    lost = explanation.lost
    if calls:
        yield Line("")
        several = sum(call.step.action is not None for call in calls) > 1
        yield Line("The steps, side by side" if several else "The step", style="bold")
        if several:
            yield Line(LEGEND, 2, "dim")
        yield from rows(calls)
        yield from between_lines(explanation.between, several=several)
    if lost:
        yield Line(f"{counted(lost, 'step')} of the evidence is no longer stored", 2, "dim")


def rows(calls: Sequence[Call]) -> Iterator[Line]:
    """One row a step, aligned; a stretch of rows that say the same becomes its first and last."""
    table = [cells(call) for call in calls]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    at = 0
    while at < len(calls):
        alike = 1
        while at + alike < len(calls) and likeness(calls[at + alike]) == likeness(calls[at]):
            alike += 1
        shown = range(at, at + alike)
        if alike > ALIKE_MAX:
            yield from row(calls[at], table[at], widths)
            yield Line(f"{'⋮'.rjust(widths[0])}  {alike - 2} more like it", 2, "dim")
            shown = range(at + alike - 1, at + alike)
        for place in shown:
            yield from row(calls[place], table[place], widths)
        at += alike


def likeness(call: Call) -> tuple[object, ...]:
    """What two rows share that say the same of their steps."""
    arguments, answer = call.arguments, call.answer
    moved = answer.likeness is Likeness.DIFFERENT and bool(answer.differences)
    return (
        step_words(call.step),
        outcome_words(call.step),
        arguments.likeness,
        arguments.differences,
        answer.likeness,
        answer.differences if moved else (),
    )


def cells(call: Call) -> tuple[str, ...]:
    """One step: its number, when, how long, what, its arguments, its answer, how it ended."""
    step = call.step
    took = "…" if step.ended_at_ns is None else lasted(step.ended_at_ns - step.began_at_ns)
    began = clock(step.began_at_ns, tenths=True)
    ended = outcome_words(step)
    effect = step.action is not None and step.action.tier.has_effect
    what = f"{'◆ ' if effect else ''}{step_words(step)}"
    if step.action is None:
        return (str(call.number), began, took, what, "", "", ended)
    if call.answer.likeness is Likeness.SAME and step.action.outcome is not None:
        ended = ended and step.action.outcome.value  # why was said of the call it is like
    arguments = f"{MARKS[call.arguments.likeness]} {argument_words(call)}"
    answer = f"{MARKS[call.answer.likeness]} {answer_words(call)}"
    return (str(call.number), began, took, what, arguments, answer, ended)


def row(call: Call, shown: Sequence[str], widths: Sequence[int]) -> Iterator[Line]:
    """One step, and below it what differs."""
    right = {0, 2}  # numbers and lengths of time
    aligned = [
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(shown, widths, strict=True))
    ]
    style = "yellow" if shown[-1] else STYLES.get(call.answer.likeness, "")
    yield Line("  ".join(aligned).rstrip(), 2, style)
    indent = widths[0] + 4
    if call.arguments.likeness is Likeness.FIRST and call.content.arguments is not None:
        yield Line(f"arguments {value(spelled(call.content.arguments))}", indent, "dim")
    for text in differences(call.arguments, "arguments"):
        yield Line(text, indent, "yellow")
    for text in differences(call.answer, "answer"):
        yield Line(text, indent, "cyan")


def argument_words(call: Call) -> str:
    """How a call's arguments compare, in a few words."""
    found = call.arguments
    match found.likeness:
        case Likeness.FIRST:
            return "arguments"
        case Likeness.SAME:
            return f"as in {found.beside}"
        case Likeness.UNKNOWN:
            return "arguments"
        case Likeness.DIFFERENT if found.share_new == 0.0:
            return f"as in {found.beside}, in another order"
        case _:
            return f"{share_words(found.share_new)} of the words differ from {found.beside}"


def answer_words(call: Call) -> str:
    """How a call's answer compares, in a few words."""
    found, action = call.answer, call.step.action
    assert action is not None, "only calls of tools have an answer"
    if call.step.ended_at_ns is None:
        return "no answer yet"
    size = "" if action.result is None or action.result.size is None else action.result.size
    match found.likeness:
        case Likeness.FIRST:
            return f"answer of {counted(size, 'character')}" if size != "" else "answer"
        case Likeness.SAME:
            return f"as in {found.beside}"
        case Likeness.NUMBERS:
            return f"as in {found.beside} but for numbers"
        case Likeness.UNKNOWN:
            return "answer"
        case Likeness.DIFFERENT:
            return f"{share_words(found.share_new)} new"


def share_words(part: float | None) -> str:
    """A share that may be unknown."""
    if part is None:
        return "some"
    return "all" if part == 1.0 else percent(part)


def differences(found: Compared, what: str) -> Iterator[str]:
    """What differs, one line each: `~` for what changed, `+` for what is new, `-` for what went."""
    for one in found.differences:
        yield difference_words(one)
    if found.more:
        yield f"  and {found.more} more in the {what}"


def difference_words(one: Difference) -> str:
    """One difference, marked."""
    name = f"{clean(one.where, 60)}: " if one.where else ""
    if one.before is None:
        return f"+ {name}{value(one.now or '')}"
    if one.now is None:
        return f"- {name}{value(one.before)}"
    before, now = focused(one.before, one.now)
    return f"~ {name}{value(before)} → {value(now)}"


def focused(before: str, now: str) -> tuple[str, str]:
    """Two texts from a little before the place where they part."""
    pairs = enumerate(zip(before, now, strict=False))
    same = next((at for at, (old, new) in pairs if old != new), min(len(before), len(now)))
    if same <= COMMON_CHARS_MAX:
        return before, now
    start = same - COMMON_CHARS_MAX // 2
    return f"…{before[start:]}", f"…{now[start:]}"


def value(text: str) -> str:
    """A recorded text, on one line and bounded."""
    return clean(text, VALUE_CHARS_MAX) or '""'


def between_lines(between: Between, *, several: bool) -> Iterator[Line]:
    """What stood between the steps of the evidence."""
    if not several:
        return
    named = [f"{words} ×{count}" if count > 1 else words for words, count in between.words]
    named += [f"{between.others} other things"] if between.others else []
    wrote = (
        f"{counted(between.effects, 'call')} that can change something"
        if between.effects
        else "nothing that could have changed something"
    )
    text = f"in between: {'; '.join(named)}; {wrote}" if named else f"in between: {wrote}"
    yield Line(text, 2)


def saving_words(saving: Saving, calls: Sequence[Call]) -> str:
    """What stopping the run in time would have saved."""
    spent = saving.spent
    parts = [counted(spent.steps, "step")]
    parts += [counted(spent.tokens, "token")] if saving.tokens_known else []
    parts += [f"${spent.cost_usd:,.2f}"] if spent.cost_usd >= CENT else []
    parts.append(lasted(saving.duration_ns))
    by = next((c.number for c in calls if c.step.span_id == saving.span_id), None)
    step = f", step {by}" if by is not None else ""
    certain = "was certain" if saving.certain else "was first said"
    at = clock(saving.since_ns, tenths=True)
    return f"Spent since this {certain} ({at}{step}): {', '.join(parts)}."
