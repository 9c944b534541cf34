"""Findings and risky actions → annotations: lines and regions on other people's dashboards.

Warnings are drawn too: nobody is woken by a line on a chart. An action is drawn once it has ended,
when its outcome is known.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import quote, urlencode

from aftershock.model import Claim, Report, Step
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.store.interface import Delivery, State
from aftershock_collector.store.serialization import from_text, to_text
from aftershock_collector.wording import (
    attribution_words,
    clean,
    lasted,
    outcome_words,
    step_words,
    who,
)

GRAFANA = "grafana"
VERSION = 1  # of what the outbox keeps
TAG = "aftershock"  # what other people's dashboards ask for
ACTION = "action"
TAG_CHARS_MAX = 100  # Grafana keeps tags in a column of this width
TEXT_CHARS_MAX = 300
TARGETS_MAX = 3
ACTIONS_MAX = 60  # drawn in a minute: more lines than that hide the chart that they are on
MINUTE_NS = 60_000_000_000
AROUND_NS = 10 * MINUTE_NS  # of what a link shows before and after
# The dashboards that show most of a finding; the uids are those of dashboards/links.py.
RUN_BOARD, INCIDENT_BOARD = "aftershock-run", "aftershock-incident"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One line, or one region once it has an end."""

    key: str  # the same for ever: drawing again finds what was drawn
    began_at_ns: int
    ended_at_ns: int | None
    tags: tuple[str, ...]
    words: str
    path: str  # of the dashboard that shows most of it, below Grafana's own address
    version: int = VERSION

    def text(self, prefix: str = "") -> str:
        """HTML as Grafana shows it; the key rides in the link, where it can be found again."""
        link = html.escape(f"{prefix}{self.path}#{self.key}")
        return f'{html.escape(self.words)}<br><a href="{link}">What happened</a>'


class GrafanaAnnotations:
    """Annotations as deliveries. `dropped` counts actions over the limit of a minute."""

    def __init__(self, actions_max: int = ACTIONS_MAX) -> None:
        self.dropped: Counter[str] = Counter()
        self._actions_max = actions_max
        self._minute = (0, 0)  # which, and how many actions were drawn in it

    def findings(self, report: Report) -> list[Delivery]:
        """A line for each finding that was opened, a region for each that was closed."""
        changed = [(State.OPENED, claim) for claim in report.opened]
        changed += [(State.CLOSED, claim) for claim in report.closed]
        return [
            Delivery(claim.finding.id, state, GRAFANA, to_text(of_claim(claim)))
            for state, claim in changed
        ]

    def actions(self, steps: Iterable[Step], now_ns: int) -> list[Delivery]:
        """A region for each action with an effect that has ended, as long as it took."""
        found: list[Delivery] = []
        for step in steps:
            if step.action is None or step.ended_at_ns is None or not step.action.tier.has_effect:
                continue
            if not self._has_room(now_ns):
                self.dropped["action_undrawn"] += 1
                continue
            claim_id = f"{ACTION}/{step.run_id}/{step.span_id}"
            body = to_text(of_action(step))
            found.append(Delivery(claim_id, State.OPENED, GRAFANA, body))
        return found

    def _has_room(self, now_ns: int) -> bool:
        minute, drawn = self._minute
        if minute != now_ns // MINUTE_NS:
            minute, drawn = now_ns // MINUTE_NS, 0
        self._minute = minute, drawn + 1
        return drawn < self._actions_max


def of_claim(claim: Claim) -> Annotation:
    """A finding, with its end where it has one."""
    finding, impact = claim.finding, claim.finding.impact
    words = clean(finding.summary if impact is None else attribution_words(impact), TEXT_CHARS_MAX)
    if claim.closed_at_ns is not None:
        words = f"{words} (closed: {closing_words(claim) or 'over'})"
    began = finding.began_at_ns if impact is None else impact.acted_at_ns
    ended = None if claim.closed_at_ns is None else max(began, claim.closed_at_ns)
    return Annotation(
        key=key_of(finding.id),
        began_at_ns=began,
        ended_at_ns=ended,
        tags=tags_of(
            finding.kind,
            finding.level.value,
            who(finding.agent),
            *([] if impact is None else [impact.entity]),
        ),
        words=f"{finding.kind}: {words}",
        path=path_of(
            RUN_BOARD if impact is None else INCIDENT_BOARD, finding.run_id, began, ended or began
        ),
    )


def of_action(step: Step) -> Annotation:
    """A call that can change something."""
    assert step.action is not None, "only actions are drawn"
    assert step.ended_at_ns is not None, "an action is drawn when its outcome is known"
    took = lasted(step.ended_at_ns - step.began_at_ns)
    ending = ", ".join(filter(None, (outcome_words(step), took)))
    return Annotation(
        key=key_of(f"{ACTION}/{step.run_id}/{step.span_id}"),
        began_at_ns=step.began_at_ns,
        ended_at_ns=step.ended_at_ns,
        tags=tags_of(
            ACTION, step.action.tier.value, who(step.agent), *step.action.targets[:TARGETS_MAX]
        ),
        words=clean(f"{who(step.agent)}: {step_words(step)}: {ending}", TEXT_CHARS_MAX),
        path=path_of(RUN_BOARD, step.run_id, step.began_at_ns, step.ended_at_ns),
    )


def tags_of(*words: str) -> tuple[str, ...]:
    """Ours first; each bounded, none twice."""
    return tuple(dict.fromkeys((TAG, *(clean(word, TAG_CHARS_MAX) for word in words if word))))


def path_of(board: str, run_id: str, began_at_ns: int, ended_at_ns: int) -> str:
    """The dashboard of a run, with some time around."""
    shown = {
        "var-run": run_id,
        "from": (began_at_ns - AROUND_NS) // 1_000_000,
        "to": (ended_at_ns + AROUND_NS) // 1_000_000,
    }
    return f"/d/{board}?{urlencode(shown, quote_via=quote)}"


def key_of(name: str) -> str:
    """A short name for something with a long one."""
    return f"{TAG}-{blake2b(name.encode(), digest_size=16).hexdigest()}"


def parse(text: str) -> Annotation:
    """An annotation that the outbox kept.

    Raises:
        ValueError: it is no annotation, or another version wrote it.
    """
    annotation = from_text(Annotation, text)
    if annotation.version != VERSION:
        raise ValueError(f"an annotation of version {annotation.version}, this is {VERSION}")
    return annotation
