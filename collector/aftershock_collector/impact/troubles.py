"""Stretches in which entities were in trouble: they are not part of how a series usually moves."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from aftershock_collector.impact.open_actions import TroubleSpan
from aftershock_collector.impact.references import Span

SPANS_MAX = 4_096  # over all entities; the oldest is dropped
BEFORE_ALERT_NS = 120 * 10**9  # rules fire after trouble has lasted: a usual `for` and a scrape


class Troubles:
    """Known trouble by entity, from alerts, from own attributions and from feedback. Bounded."""

    def __init__(self) -> None:
        self._spans: OrderedDict[str, TroubleSpan] = OrderedDict()  # identity → stretch

    def record(self, identity: str, entity: str, began_ns: int, ended_ns: int) -> None:
        """Remember a stretch, or how long it has lasted by now."""
        self._spans[identity] = TroubleSpan(entity, began_ns, ended_ns)
        if len(self._spans) > SPANS_MAX:
            self._spans.popitem(last=False)

    def by_entity(self) -> Mapping[str, Sequence[Span]]:
        """Stretches of each entity."""
        found: dict[str, list[Span]] = {}
        for span in self._spans.values():
            found.setdefault(span.entity, []).append((span.began_ns, span.ended_ns))
        return found

    def spans(self) -> tuple[TroubleSpan, ...]:
        """Everything, as plain values."""
        return tuple(self._spans.values())

    def restore(self, spans: Iterable[TroubleSpan]) -> None:
        """What `spans` returned in an earlier process."""
        for number, span in enumerate(spans):
            self._spans[f"restored/{number}"] = span
