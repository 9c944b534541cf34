"""Steps → Run: order by event time, bound the window, name the agents, find the end of the run.

The same set of steps folds to the same run, in whatever order and however often they arrive.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from aftershock.fingerprints.fingerprint import UNSEEN
from aftershock.limits import Limits
from aftershock.model import Fact, Fingerprint, Run, Spent, Step, StepKind
from aftershock.policy.prices import spent_with
from aftershock.runs.ancestry import ANCESTORS_MAX, Ancestry
from aftershock.runs.hand_offs import HandOffs
from aftershock.runs.records import are_of_one_step, joined, supersedes

# Kinds that have a span of their own; facts and decisions may share the span they were made in.
_OWN_SPAN = frozenset(
    {
        StepKind.AGENT,
        StepKind.INFERENCE,
        StepKind.TOOL_CALL,
        StepKind.RETRIEVAL,
        StepKind.HAND_OFF,
        StepKind.OUTGOING,
    }
)
# What an agent does itself. A run in which it still does that is not over, whatever was said.
_WORK = frozenset({StepKind.INFERENCE, StepKind.TOOL_CALL, StepKind.HAND_OFF})
_NAMED_MAX = 4  # processes and senders of one run: a page needs to know that there are several
_TOUCHED_MAX = 64  # entities that the calls of one tool call reached, the first
_APPROVALS_MAX = 64  # kept after they left the window, because they may still be valid
_PARENTS_PER_STEP_MAX = 8  # spans around steps that are none themselves, of each step

Key = tuple[str, str, int]
Place = tuple[int, str, str]


class Shift(NamedTuple):
    """What adding steps did to a window."""

    changed_from: int | None  # first position whose prefix changed; None: no step changed
    fell_out: int  # number of oldest steps that left the window; positions are counted after them


def key_of(step: Step) -> Key:
    """Equal for two records of the same step."""
    if step.kind in _OWN_SPAN:
        return step.span_id, "", 0
    return step.span_id, f"{step.kind}/{step.name}", step.began_at_ns


def place_of(step: Step) -> Place:
    """The sort key of event order."""
    return step.began_at_ns, step.span_id, step.name


class Window:
    """One run's steps as they arrive: the only mutable state of folding."""

    def __init__(self, run_id: str, limits: Limits) -> None:
        self.run_id = run_id
        self.limits = limits
        self.dropped: Counter[str] = Counter()
        self._steps: list[Step] = []  # judged steps, in event order
        self._places: list[Place] = []
        self._seen: dict[Key, Step] = {}  # each step of the window as it arrived
        self._frames: dict[str, Step] = {}  # AGENT steps by span id
        self._ancestry = Ancestry(_PARENTS_PER_STEP_MAX * limits.run_steps_max)
        self._hand_offs = HandOffs(limits.run_steps_max)
        self._touched: dict[str, tuple[str, ...]] = {}  # tool span → entities its calls reached
        self._code: dict[str, tuple[Place, Fingerprint]] = {}  # span → code that it runs
        self.received_at_ns: int | None = None  # newest sign of life, heartbeats included
        self._fell_out = 0
        self._spent = Spent()  # by steps that left the window
        self._approvals: tuple[Step, ...] = ()  # among those, in event order
        self._began_at_ns: int | None = None
        self.agent: str | None = None  # the outermost agent's name
        self.service: str | None = None  # of the process that the agent lives in
        self.environment: str | None = None  # that it was deployed to
        self.cluster: str | None = None  # that it runs in
        self.process: str | None = None  # that process itself
        self.goal: str | None = None  # of the first agent that recorded one
        self.processes: dict[str, None] = {}  # that steps named, the first few
        self.senders: dict[str, None] = {}  # of steps, the first few
        self.error: str | None = None  # of the outermost agent
        self.ended_at_ns: int | None = None  # None: the run is not known to be over

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def held(self) -> int:
        """How many steps it holds, frames of agents among them."""
        return len(self._steps) + len(self._frames)

    @property
    def links(self) -> int:
        """How many spans it knows the parent of that are no steps of it."""
        return max(0, len(self._ancestry) - self.held)

    def steps_held(self) -> Iterator[Step]:
        """All of them, in no order."""
        yield from self._steps
        yield from self._frames.values()

    @property
    def is_mixed(self) -> bool:
        """True where its steps come from several processes or senders."""
        return len(self.processes) > 1 or len(self.senders) > 1

    def add(self, steps: Iterable[Step]) -> Shift:
        """Add steps; return the first position that changed, and how many steps left the window."""
        changed: list[int] = []
        linked = False
        for step in sorted(steps, key=place_of):
            self._receive(step)
            if step.kind is StepKind.HEARTBEAT:
                continue
            if step.is_part and step.parent_id is not None:
                linked = self._link(step) or linked
                continue
            linked = self._hand_offs.add(step) or linked
            position = self._add_frame(step) if step.kind is StepKind.AGENT else self._insert(step)
            if position is not None:
                changed.append(position)
        if linked and (position := self._rename()) is not None:
            changed.append(position)
        if not changed:
            return Shift(None, 0)
        fell_out = self._bound()
        self._recognise()
        return Shift(max(0, min(changed) - fell_out), fell_out)

    def kind_at(self, position: int) -> StepKind:
        """What kind of step stands at a position of the window."""
        return self._steps[position].kind

    @property
    def began_at_ns(self) -> int | None:
        """When the first known step of the run began."""
        return self._began_at_ns

    def position_at(self, time_ns: int) -> int | None:
        """The first step of the window that began then or later; None: there is none."""
        position = bisect_left(self._places, (time_ns, "", ""))
        return position if position < len(self._places) else None

    def prefix(self, length: int, steps: tuple[Step, ...] | None = None) -> Run:
        """The run as it stood when its `length`-th step was the newest.

        `steps` stand in for those of the window, with what they are expected to require.
        """
        steps = tuple(self._steps[:length]) if steps is None else steps
        now_ns = steps[-1].last_ns if steps else (self.received_at_ns or 0)
        return self._run(steps, now_ns)

    def whole(self, now_ns: int) -> Run:
        """The run as it stands, seen at `now_ns`."""
        return self._run(tuple(self._steps), now_ns)

    def until(self, step: Step) -> Run | None:
        """The run as it stood when this step was the newest. None: not in the window."""
        known = self._seen.get(key_of(step))
        if known is None:
            return None
        return self.prefix(bisect_left(self._places, place_of(known)) + 1)

    def find(self, step: Step) -> Step | None:
        """The step as the window holds it: agent named, targets known. None: not in the window."""
        known = self._seen.get(key_of(step))
        if known is None:
            return None
        position = bisect_left(self._places, place_of(known))
        return self._steps[position]

    def of_span(self, span_id: str) -> Step | None:
        """The step with a span of its own. None: not in the window."""
        known = self._seen.get((span_id, "", 0))
        return None if known is None else self.find(known)

    def facts_before(self, step: Step) -> tuple[Fact, ...]:
        """Everything the agent had been shown when this step began."""
        return tuple(
            fact
            for earlier in self._steps
            for fact in earlier.facts
            if fact.observed_at_ns <= step.began_at_ns and earlier.span_id != step.span_id
        )

    def _run(self, steps: tuple[Step, ...], now_ns: int) -> Run:
        return Run(
            id=self.run_id,
            steps=steps,
            now_ns=now_ns,
            agent=self.agent,
            began_at_ns=self._began_at_ns,
            ended_at_ns=self.ended_at_ns,
            error=self.error,
            received_at_ns=self.received_at_ns,
            dropped_steps=self._fell_out,
            dropped_spent=self._spent,
            dropped_approvals=self._approvals,
        )

    def _recognise(self) -> None:
        """Set the agent and the end: a run ends when all its outermost agent frames have ended."""
        roots = [f for f in self._frames.values() if f.parent_id not in self._frames]
        named = [f.agent or f.name for f in sorted(roots, key=place_of) if f.agent or f.name]
        inner = (step.agent for step in self._steps if step.agent)
        self.agent = named[0] if named else next(inner, None)
        ends = [f.ended_at_ns for f in roots if f.ended_at_ns is not None]
        ended_ns = max(ends) if ends and len(ends) == len(roots) else None
        self.ended_at_ns = None if ended_ns is None or self._works_after(ended_ns) else ended_ns
        self.error = next((frame.error for frame in roots if frame.error), None)

    def _works_after(self, ended_ns: int) -> bool:
        """True where the agent went on after the end that it reported."""
        for step in reversed(self._steps):
            if step.began_at_ns <= ended_ns:
                return False
            if step.kind in _WORK:
                return True
        return False

    def _receive(self, step: Step) -> None:
        if step.kind is not StepKind.OUTGOING:  # what a tool started is not where the agent lives
            self.service = self.service or step.service
            self.environment = self.environment or step.environment
            self.cluster = self.cluster or step.cluster
            self.process = step.process or self.process  # after a restart it is another one
            if step.process and len(self.processes) < _NAMED_MAX:
                self.processes[step.process] = None
        self.goal = self.goal or step.goal
        if step.sender and len(self.senders) < _NAMED_MAX:
            self.senders[step.sender] = None
        received, began = self.received_at_ns, self._began_at_ns
        self.received_at_ns = step.last_ns if received is None else max(received, step.last_ns)
        self._began_at_ns = step.began_at_ns if began is None else min(began, step.began_at_ns)

    def _add_frame(self, step: Step) -> int | None:
        """Record an agent's frame, which names the agent of the steps inside it."""
        known = self._frames.get(step.span_id)
        if known is not None and not supersedes(step, known):
            return None
        if known is None and len(self._frames) >= self.limits.run_steps_max:
            self.dropped["agent_frames_full"] += 1
            return None
        self._frames[step.span_id] = step
        self._link(step)
        self._recognise()
        if known is not None and (known.agent, known.name) == (step.agent, step.name):
            return None  # only its end is new: no other step changes
        return self._rename()

    def _insert(self, step: Step) -> int | None:
        key = key_of(step)
        known = self._seen.get(key)
        removed: int | None = None
        if known is not None:
            if are_of_one_step(step, known):
                step = joined(step, known)
                if step == known:
                    return None
            elif not supersedes(step, known):
                return None
            removed = self._remove(known)
        elif self._fell_out and self._places and place_of(step) < self._places[0]:
            if step.approval is not None:
                return 0 if self._keep(step) else None
            self.dropped["older_than_window"] += 1
            return None
        self._seen[key] = step
        self._link(step)
        place = place_of(step)
        position = bisect_left(self._places, place)
        self._places.insert(position, place)
        self._steps.insert(position, self._resolved(step))
        above = self._touch(step) if step.kind is StepKind.OUTGOING else self._write_code(step)
        return min(p for p in (position, above, removed) if p is not None)

    def _remove(self, step: Step) -> int:
        position = bisect_left(self._places, place_of(step))
        del self._places[position], self._steps[position]
        return position

    def _link(self, step: Step) -> bool:
        if self._ancestry.is_full:
            self.dropped["agent_frames_full"] += 1
        return self._ancestry.add(step)

    def _touch(self, step: Step) -> int | None:
        """Use the entity of an outgoing call as target of its tool, if the tool declares none."""
        targets = (*self._touched.pop(step.span_id, ()), *step.targets)
        parent = self._caller_of(step)
        if parent is None or not targets:
            return None
        known = self._touched.get(parent, ())
        self._touched[parent] = tuple(dict.fromkeys((*known, *targets)))[:_TOUCHED_MAX]
        return self._resolve_again(parent)

    def _caller_of(self, step: Step) -> str | None:
        """The span that made an outgoing call: outside of other outgoing calls that are known."""
        for _ in range(ANCESTORS_MAX):
            outer = self._seen.get((step.parent_id or "", "", 0))
            if outer is None or outer.kind is not StepKind.OUTGOING:
                break
            step = outer
        return step.parent_id

    def _write_code(self, step: Step) -> int | None:
        """Use the code that an inference wrote as arguments of the call that it is a part of."""
        parent, code = step.parent_id, step.output and step.output.code
        if parent is None or code is None:
            return None
        known = self._code.get(parent)
        if known is not None and known[0] > place_of(step):
            return None
        self._code[parent] = (place_of(step), code)
        return self._resolve_again(parent)

    def _resolve_again(self, span_id: str) -> int | None:
        """Resolve a call again; its position, or None where it is not in the window."""
        caller = self._seen.get((span_id, "", 0))
        if caller is None or caller.kind is StepKind.AGENT:
            return None
        position = bisect_left(self._places, place_of(caller))
        if position == len(self._places) or self._places[position] != place_of(caller):
            return None
        self._steps[position] = self._resolved(caller)
        return position

    def _rename(self) -> int | None:
        """Resolve agents again after a new frame; return the first position that changed."""
        first: int | None = None
        for position, step in enumerate(self._steps):
            if self._seen[key_of(step)].agent is not None:
                continue
            resolved = self._resolved(self._seen[key_of(step)])
            if resolved != step:
                self._steps[position] = resolved
                first = position if first is None else first
        return first

    def _resolved(self, step: Step) -> Step:
        action = step.action
        touched = self._touched.get(step.span_id)
        if action is not None and touched and not action.targets:
            action = replace(action, targets=touched)
        code = self._code.get(step.span_id)
        if action is not None and code and action.arguments.digest.startswith(UNSEEN):
            action = replace(action, arguments=code[1])
        agent = step.agent or self._agent_above(step) or self._hand_offs.taker_before(step)
        if action is step.action and agent == step.agent:
            return step
        return replace(step, action=action, agent=agent)

    def _agent_above(self, step: Step) -> str | None:
        frames = map(self._frames.get, self._ancestry.above(step))
        return next((f.agent or f.name for f in frames if f and (f.agent or f.name)), None)

    def _bound(self) -> int:
        """Drop the oldest steps beyond the window's size; return how many."""
        excess = len(self._steps) - self.limits.run_steps_max
        if excess <= 0:
            return 0
        for step in self._steps[:excess]:
            del self._seen[key_of(step)]
            self._spent = spent_with(self._spent, step, self.limits)
            self._ancestry.forget(step.span_id)
            self._touched.pop(step.span_id, None)
            self._code.pop(step.span_id, None)
            if step.approval is not None:
                self._keep(step)
        for of_callers in (self._touched, self._code):  # some are no steps of the window
            if len(of_callers) > 2 * self.limits.run_steps_max:
                for span_id in list(of_callers)[: -self.limits.run_steps_max]:
                    del of_callers[span_id]
        del self._steps[:excess]
        del self._places[:excess]
        self._fell_out += excess
        return excess

    def _keep(self, step: Step) -> bool:
        """Keep an approval that is older than the window; False if it is already known."""
        kept = {key_of(known): known for known in self._approvals}
        known = kept.get(key_of(step))
        if known is not None and not supersedes(step, known):
            return False
        kept[key_of(step)] = step
        newest = sorted(kept.values(), key=place_of)
        if len(newest) > _APPROVALS_MAX:
            self.dropped["approvals_full"] += 1
        self._approvals = tuple(newest[-_APPROVALS_MAX:])
        return True
