"""How a situation is written: a run call by call, with times, answers and how it ends.

A situation becomes a record in the neutral recording format and goes through the product's own
import path. Start events, heartbeats and the run's frame are added as a live sender reports them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from aftershock.model import Step, StepKind, Tokens
from aftershock.policy.policy import EMPTY, Policy
from tests.evaluation.traces import steps_of

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
S = 1_000_000_000
ANSWER_TOKENS = 200
BEAT_S = 30


class Want(StrEnum):
    """What a person on call wants."""

    NOTHING = "nothing"
    WARN = "warn"  # to be seen on a dashboard the same day
    ALARM = "alarm"  # to be paged


@dataclass
class Script:
    """One run under construction. Times are seconds since its start."""

    name: str
    at_s: float = 0.0
    agent: str | None = None
    policy: Policy = EMPTY
    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    open_at: set[int] = field(default_factory=set[int])  # places of calls that never end
    beats_s: list[float] = field(default_factory=list[float])
    finish: dict[int, str] = field(default_factory=dict[int, str])  # place → finish reason
    ended: bool = False
    crash: str | None = None

    def call(
        self, tool: str, result: Any = "ok", *, after: float = 2, took: float = 1, **args: Any
    ) -> None:
        """A call that ended with this result, `after` seconds after the step before it."""
        self._add("tool", tool, after, took, args=args, result=result)

    def fail(
        self, tool: str, error: str, *, after: float = 2, took: float = 1, **args: Any
    ) -> None:
        """A call whose span ended with an error status."""
        self._add("tool", tool, after, took, args=args, result=error, error=error)

    def hang(self, tool: str, **args: Any) -> None:
        """A call that never ends."""
        self._add("tool", tool, 2, 0, args=args)
        self.open_at.add(len(self.steps) - 1)

    def batch(self, tool: str, answers: dict[str, Any], key: str, *, took: float = 2) -> None:
        """Calls of one model turn that run side by side: argument → answer."""
        self.at_s += 2
        for place, (value, answer) in enumerate(answers.items()):
            began_s = self.at_s + place * 0.01
            self.put("tool", tool, began_s, took, args={key: value}, result=answer)
        self.at_s += took + 0.1

    def think(self, text: str = "", *, tokens: int = 200, after: float = 1, took: float = 2,
              finish: str | None = None) -> None:  # fmt: skip
        """An inference of the model, which is sent so many tokens."""
        self._add("llm", "gpt-4.1", after, took, result=text or "…", tokens=tokens)
        if finish:
            self.finish[len(self.steps) - 1] = finish

    def user(self, text: str, *, after: float = 1) -> None:
        """A message of the user."""
        self._add("message", "user", after, 0, result=text)

    def hand_off(self, giver: str, taker: str, text: str) -> None:
        """One agent gives the work to another."""
        self._add("llm", f"{giver} (-> {taker})", 2, 1, result=text)

    def beat(self, seconds: float, every: float = 30) -> None:
        """Time passes and heartbeats arrive."""
        end_s = self.at_s + seconds
        while self.at_s + every <= end_s:
            self.at_s += every
            self.beats_s.append(self.at_s)
        self.at_s = end_s

    def clock(self, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
        """The time at this point of the run, as a tool would print it."""
        return (START + timedelta(seconds=self.at_s)).strftime(form)

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.at_s += seconds

    def answer(self, text: str, finish: str = "stop") -> None:
        """The final answer of the model; the run ends well."""
        self.think(text, finish=finish)
        self.ended = True

    def end(self, crash: str | None = None) -> None:
        """The run ends here; `crash`: with this exception."""
        self.ended, self.crash = True, crash

    def _add(self, kind: str, name: str, after: float, took: float, **fields: Any) -> None:
        self.at_s += after
        self.put(kind, name, self.at_s, took, **fields)
        self.at_s += took

    def put(self, kind: str, name: str, began_s: float, took: float, **fields: Any) -> None:
        """A step at a time of its own."""
        began = START + timedelta(seconds=began_s)
        step = {"kind": kind, "name": name, "t": began.isoformat(), "dur": f"PT{took}S", **fields}
        if self.agent and kind != "message":
            step.setdefault("agent", self.agent)
        self.steps.append(step)

    # --- What the collector receives -----------------------------------------------------------

    def record(self) -> dict[str, Any]:
        """The run as a neutral recording."""
        return {"id": self.name, "steps": self.steps, "meta": {"agent": "worker"}}

    def events(self) -> Iterator[tuple[int, Step]]:
        """(time in ns, step) of every event that a live sender reports, in order."""
        yield from sorted(self._events(), key=lambda event: (event[0], event[1].span_id))

    def _events(self) -> Iterator[tuple[int, Step]]:
        steps = steps_of(self.record(), self.policy)
        start_ns = int(START.timestamp()) * S
        for place, step in enumerate(steps):
            if step.action is not None:
                unseen = replace(
                    step.action, result=None, outcome=None, error_class=None, words=None
                )
                begun = replace(step, ended_at_ns=None, error=None, action=unseen, facts=())
                yield step.began_at_ns, begun
                if place in self.open_at:
                    continue
            sent = step.tokens and Tokens(step.tokens.output, ANSWER_TOKENS)
            yield step.last_ns, replace(step, finish_reason=self.finish.get(place), tokens=sent)
        beats_ns = [start_ns + int(at_s * S) for at_s in self.beats_s]
        for step in steps:  # a live process sends them while a call lasts
            beats_ns += range(step.began_at_ns + BEAT_S * S, step.last_ns, BEAT_S * S)
        for number, at_ns in enumerate(beats_ns):
            yield at_ns, self._own(f"beat-{number}", StepKind.HEARTBEAT, at_ns, at_ns)
        yield start_ns, self._own("root", StepKind.AGENT, start_ns, None)
        if self.ended:
            end_ns = start_ns + int(self.at_s * S)
            root = self._own("root", StepKind.AGENT, start_ns, end_ns)
            yield end_ns, replace(root, error=self.crash)

    def _own(self, span_id: str, kind: StepKind, began_ns: int, ended_ns: int | None) -> Step:
        return Step(self.name, span_id, kind, "worker", began_ns, ended_ns, agent="worker")


@dataclass(frozen=True)
class Situation:
    """One run, and what the person on call wants by which of its calls (None: by its end)."""

    name: str
    summary: str
    want: Want
    family: str
    by_call: int | None
    write: Callable[[Script], None]

    def script(self) -> Script:
        """The run."""
        script = Script(self.name)
        self.write(script)
        return script


Collection = list[Situation]
Writer = Callable[[Script], None]
Adding = Callable[[Writer], Writer]


def situation(into: Collection, want: Want, family: str, by_call: int | None = None) -> Adding:
    """Add a function that writes a run, named after it and described by its docstring."""

    def add(write: Writer) -> Writer:
        into.append(Situation(write.__name__, write.__doc__ or "", want, family, by_call, write))
        return write

    return add
