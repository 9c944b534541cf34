"""Who calls whom, learnt from client spans, client metrics and metrics of service graphs."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

EDGES_MAX = 10_000  # pairs remembered: a hundred services that call a hundred each; 3 MB
FORGOTTEN_S = 26 * 3_600.0  # a pair that has not called for a day does not call any more


KEPT_MAX = 1_000  # of these, over a restart: 0.1 MB


@dataclass(frozen=True, slots=True)
class SeenCall:
    """A pair that was seen calling, and when last."""

    caller: str
    callee: str
    seen_ns: int


class CallGraph:
    """Pairs of caller and callee, bounded; the one that was seen longest ago is forgotten."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._seen_ns: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._known: dict[str, list[str]] | None = None  # None: to be made again

    def __len__(self) -> int:
        return len(self._seen_ns)

    def record(self, caller: str, callee: str, time_ns: int) -> None:
        """A call was seen."""
        if caller == callee:
            return
        pair = caller, callee
        if pair not in self._seen_ns:
            self._known = None
        self._seen_ns[pair] = max(time_ns, self._seen_ns.get(pair, 0))
        self._seen_ns.move_to_end(pair)
        if len(self._seen_ns) > EDGES_MAX:
            self._seen_ns.popitem(last=False)
            self._known = None
            self.dropped["call_pairs_full"] += 1

    def newest(self) -> tuple[SeenCall, ...]:
        """The pairs that were seen last, as plain values."""
        newest = list(islice(reversed(self._seen_ns.items()), KEPT_MAX))
        return tuple(SeenCall(*pair, seen_ns) for pair, seen_ns in reversed(newest))

    def restore(self, calls: Iterable[SeenCall]) -> None:
        """Know again what an earlier process had seen."""
        for call in calls:
            self.record(call.caller, call.callee, call.seen_ns)

    def beside(
        self, declared: Mapping[str, Sequence[str]], now_ns: int
    ) -> Mapping[str, Sequence[str]]:
        """What was declared, and what was seen beside it."""
        oldest_ns = now_ns - int(FORGOTTEN_S * 1e9)
        while self._seen_ns and next(iter(self._seen_ns.values())) < oldest_ns:
            self._seen_ns.popitem(last=False)
            self._known = None
        if self._known is None:
            self._known = {caller: list(callees) for caller, callees in declared.items()}
            for caller, callee in self._seen_ns:
                callees = self._known.setdefault(caller, [])
                if callee not in callees:
                    callees.append(callee)
        return self._known
