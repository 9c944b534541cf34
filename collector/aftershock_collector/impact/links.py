"""Exact links: which action stands behind a change that brought a trace back.

A span that the change names decides; a call that a tool made stands for the tool, and so does what
that call made in turn. Where only the trace is known, a log belongs to the one tool call that was
running then, and what lasts (an alert, an event of the platform) to the one action of that trace
that could have had an effect. Another call of that trace may not have been reported yet, so such a
change is held for a moment. A log that shows what a span changed outweighs the name of the tool: a
call that counted as a read is an action then.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from aftershock.model import Change, Fingerprint, Step, StepKind, Tier
from aftershock.runs.size import size_of

TRACES_MAX = 1_024  # as many as actions are remembered as suspects
CALLS_MAX = 128  # of one trace, newest kept
CALL_BYTES = 400  # of one without a step
BYTES_MAX = 24_000_000  # of all calls: what senders say of one may be large
CHILDREN_MAX = 16_384  # calls that tools made: what they reached the outside by
ENTITIES_MAX = 65_536  # that all tool calls reached: four each; 20 MB at worst
NESTED_MAX = 8  # calls inside calls: a shell's, a script's, a client's; more is a circle
REACHED_MAX = 16  # entities of one tool call, newest kept
WAITING_MAX = 4_096  # traces named by changes before an agent's span arrived, ...
WAITING_OF_TRACE_MAX = 8
WAITING_CHANGES_MAX = 8_192  # ... and these changes; 20 MB at worst
SLACK_NS = 10**9  # clocks of two processes on one network differ by less
REPORTED_NS = 10 * 10**9  # twice what OpenTelemetry's batch processors wait before they export
NOTHING: frozenset[str] = frozenset()
LOG = "log/"  # ids of changes that are a moment: a line in a service's log


class Linked(NamedTuple):
    """The action behind a change, and what to add to its times to get our clock."""

    step: Step
    skew_ns: int


class _Call(NamedTuple):
    """A tool call. Most calls are reads: whatever a log shows that they changed, they may do."""

    began_at_ns: int
    ended_at_ns: int | None
    service: str | None
    sender: str
    step: Step  # without its fingerprints

    @property
    def action_step(self) -> Step | None:
        """The step of an action with an effect."""
        action = self.step.action
        return self.step if action is not None and action.tier.has_effect else None

    @property
    def size_bytes(self) -> int:
        """Bytes in memory, estimated."""
        return CALL_BYTES + size_of(self.step)


@dataclass(slots=True)
class _Trace:
    """The tool calls of one trace."""

    calls: OrderedDict[str, _Call] = field(default_factory=OrderedDict[str, _Call])
    skew_ns: int = 0
    size_bytes: int = 0

    def add(self, span_id: str, call: _Call) -> None:
        """A call, or more of what is known of it."""
        known = self.calls.pop(span_id, None)
        if known is not None:
            self.size_bytes -= known.size_bytes
        self.calls[span_id] = call
        self.size_bytes += call.size_bytes
        if len(self.calls) > CALLS_MAX:
            self.size_bytes -= self.calls.popitem(last=False)[1].size_bytes


class _Reached:
    """Entities by tool call, its span id and sender: the newest calls, and so many entities."""

    def __init__(self) -> None:
        self._of: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()
        self._entities = 0  # of all calls

    def of(self, call: tuple[str, str]) -> tuple[str, ...]:
        """What a call reached, the newest of it."""
        return self._of.get(call, ())

    def pop(self, call: tuple[str, str]) -> tuple[str, ...]:
        """Forget a call; returns what it reached."""
        gone = self._of.pop(call, ())
        self._entities -= len(gone)
        return gone

    def add(self, call: tuple[str, str], entities: tuple[str, ...]) -> None:
        """A call reached more."""
        known = self._of.get(call, ())
        reached = self._of[call] = (*known, *entities)[-REACHED_MAX:]
        self._entities += len(reached) - len(known)
        while len(self._of) > CHILDREN_MAX or self._entities > ENTITIES_MAX:
            self._entities -= len(self._of.popitem(last=False)[1])


class Links:
    """Tool calls by trace, bounded. Whatever is forgotten early is counted in `dropped`."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._traces: OrderedDict[str, _Trace] = OrderedDict()
        self._size_bytes = 0  # of the calls of all traces
        self._above: OrderedDict[str, str] = OrderedDict()  # a tool's own call → the tool's span
        # A tool's span and its sender → entities that its calls reached, and whose logs show it.
        self._reached = _Reached()
        self._logged = _Reached()
        self._waiting: OrderedDict[str, dict[str, Change]] = OrderedDict()
        self._waiting_changes = 0  # of all these traces
        self._came: list[Change] = []

    def record(self, step: Step, skew_ns: int = 0) -> None:
        """A tool call, or a call that a tool made; anything else says nothing."""
        if step.kind is StepKind.OUTGOING and step.parent_id:
            self._above[step.span_id] = step.parent_id
            inner = self._reached.pop((step.span_id, step.sender))
            above = (self._around(step.parent_id)[-1], step.sender)
            self._reached.add(above, (*inner, *step.targets))
            if len(self._above) > CHILDREN_MAX:
                self._above.popitem(last=False)
            return
        if step.action is None or not step.trace_id:
            return
        trace = self._traces.setdefault(step.trace_id, _Trace())
        known = trace.calls.get(step.span_id)
        if known is not None and known.sender != step.sender:
            return  # the id is taken: two senders do not share a span
        self._traces.move_to_end(step.trace_id)
        trace.skew_ns = skew_ns
        kept = without_fingerprints(step)
        before = trace.size_bytes
        call = _Call(step.began_at_ns, step.ended_at_ns, step.service, step.sender, kept)
        trace.add(step.span_id, call)
        self._size_bytes += trace.size_bytes - before
        while len(self._traces) > TRACES_MAX or (
            self._size_bytes > BYTES_MAX and len(self._traces) > 1
        ):
            self._size_bytes -= self._traces.popitem(last=False)[1].size_bytes
            self.dropped["linked_traces_full"] += 1

    def reached(self, step: Step) -> tuple[str, ...]:
        """What a tool call declared as its targets, and what its own calls reached."""
        declared = step.action.targets if step.action is not None else ()
        key = (step.span_id, step.sender)
        return *declared, *self._reached.of(key), *self._logged.of(key)

    def reach(self, step: Step, entity: str) -> None:
        """Record that the log of an entity shows what a tool call did there."""
        key = (step.span_id, step.sender)
        if entity not in self._logged.of(key):
            self._logged.add(key, (entity,))

    def with_reached(self, step: Step) -> Step:
        """The action with whatever logs show that it reached among its targets."""
        logged = self._logged.of((step.span_id, step.sender))
        if step.action is None or not logged:
            return step
        targets = tuple(dict.fromkeys((*step.action.targets, *logged)))
        return replace(step, action=replace(step.action, targets=targets))

    def knows(self, trace_id: str | None, service: str | None) -> bool:
        """True for a trace of an agent that came back from somebody else than its own process."""
        trace = self._traces.get(trace_id or "")
        return trace is not None and all(call.service != service for call in trace.calls.values())

    def hold(self, change: Change) -> None:
        """Hold a change whose trace is not known yet: its log may arrive before the agent's span.

        Most such traces are not an agent's, so the oldest are evicted without being counted.
        """
        if change.trace_id is None:
            return
        waiting = self._waiting.setdefault(change.trace_id, {})
        self._waiting.move_to_end(change.trace_id)
        if change.id in waiting:
            if not reports_less(change, waiting[change.id]):
                waiting[change.id] = change
        elif len(waiting) < WAITING_OF_TRACE_MAX:
            waiting[change.id] = change
            self._waiting_changes += 1
        while len(self._waiting) > WAITING_MAX or self._waiting_changes > WAITING_CHANGES_MAX:
            self._waiting_changes -= len(self._waiting.popitem(last=False)[1])

    def release(self, trace_id: str, now_ns: int) -> list[Change]:
        """The held changes that point at an action of this trace, now that it is known."""
        waiting = self._waiting.get(trace_id)
        if waiting is None:
            return []
        found = [change for change in waiting.values() if self.behind(change, now_ns) is not None]
        for change in found:
            del waiting[change.id]
        self._waiting_changes -= len(found)
        if not waiting:
            del self._waiting[trace_id]
        self._came += found
        return found

    def release_due(self, now_ns: int) -> list[Change]:
        """The held changes that point at an action, now that its whole trace was reported."""
        known = [trace_id for trace_id in self._waiting if trace_id in self._traces]
        return [change for trace_id in known for change in self.release(trace_id, now_ns)]

    def newly_linked(self) -> tuple[Change, ...]:
        """Changes that `release` returned since the last call."""
        came, self._came = tuple(self._came), []
        return came

    def resolve(self, change: Change, now_ns: int) -> tuple[Change, Linked | None]:
        """The change with the ids of the one action that it points at, or none; and that action."""
        if change.trace_id is None:
            return change, None
        linked = self.behind(change, now_ns)
        if linked is None:
            return replace(change, trace_id=None, span_id=None), None
        step = linked.step
        return replace(change, trace_id=step.trace_id, span_id=step.span_id), linked

    def behind(self, change: Change, now_ns: int) -> Linked | None:
        """The one action that a change points at; None where there is none, yet, or several."""
        trace = self._traces.get(change.trace_id or "")
        own = change.entity.removeprefix("service/")
        if trace is None or not self.knows(change.trace_id, own):
            return None
        span = change.span_id or ""
        around = (trace.calls.get(outer) for outer in self._around(span))
        named = next((call for call in around if call is not None), None)
        if named is not None and named.action_step is None and change.tier is not None:
            return Linked(as_logged(named.step, change, change.tier), trace.skew_ns)
        if named is None:
            if now_ns - change.began_at_ns < REPORTED_NS:
                return None
            found = self._running(trace, change) if change.id.startswith(LOG) else _able(trace)
            before_ns = change.began_at_ns - trace.skew_ns + SLACK_NS
            found = [call for call in found if call.began_at_ns <= before_ns]
            named = found[0] if len(found) == 1 else None
        if named is None or named.action_step is None:
            return None
        return Linked(named.action_step, trace.skew_ns)

    def _around(self, span_id: str) -> list[str]:
        """A span and those that it was made in, innermost first, as far as they are known."""
        found = [span_id]
        while len(found) < NESTED_MAX and (outer := self._above.get(found[-1])) is not None:
            found.append(outer)
        return found

    def _running(self, trace: _Trace, change: Change) -> list[_Call]:
        """Every tool call, harmless ones too, that was going on at the moment of a log."""
        at_ns = change.began_at_ns - trace.skew_ns
        return [
            call
            for call in trace.calls.values()
            if call.ended_at_ns is None or at_ns <= call.ended_at_ns + SLACK_NS
        ]


def reports_less(change: Change, known: Change) -> bool:
    """True where several records tell of one thing, and this one without its damage or rows.

    A record of an unknown sender adds nothing to one of a known sender about the same thing.
    """
    if known.vouched != change.vouched:
        return known.vouched
    if known.kind.is_trouble != change.kind.is_trouble:
        return known.kind.is_trouble
    return bool(known.detail) and not change.detail


def _able(trace: _Trace) -> list[_Call]:
    """Calls that could have had an effect."""
    return [call for call in trace.calls.values() if call.action_step is not None]


def as_logged(step: Step, change: Change, tier: Tier) -> Step:
    """A call that counted as a read, with the tier of what a log shows that it did."""
    assert step.action is not None, "only tool calls are kept"
    shown = (
        f"{step.action.tool} counts as a read, and the log of {change.entity} shows {change.name}"
    )
    return replace(
        step, action=replace(step.action, tier=tier, logged=(*step.action.logged, shown))
    )


def without_fingerprints(step: Step) -> Step:
    """The step as it is kept beside its run, and for longer than that is live."""
    assert step.action is not None, "only tool calls are kept"
    action = replace(
        step.action,
        arguments=Fingerprint(step.action.arguments.digest),
        result=None,
        subjects=NOTHING,
        ids=NOTHING,
        words=None,
        requires=(),
    )
    return replace(step, action=action, facts=(), shown=None, words=None, output=None)
