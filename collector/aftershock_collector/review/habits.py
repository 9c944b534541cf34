"""What past runs did, counted: tools with their arguments and repeats, reads before writes, agents.

Runs are counted one at a time, and everything that is kept of them is bounded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from aftershock.model import Action, Fingerprint, Outcome, Step, StepKind, Tier
from aftershock.runs.expectations import split

TOOLS_MAX = 1_000  # a fleet has some hundred, and the drafted file must stay readable
AGENTS_MAX = 200
NAMES_MAX = 64  # arguments of one tool
PAIRS_MAX = 10_000  # pairs of an argument and a read that was about the same id
SAMPLES_MAX = 10_000  # runs of one agent whose sizes are kept
IDS_MAX = 64  # different ids of one argument; enough to see which argument names the subject
ECHO_MIN = 0.5  # share of a read's answer that the answer of a later change repeats
REPEATS_MIN = 3  # equal calls in one run that make one think of polling


@dataclass(slots=True)
class ToolSeen:
    """Counts about one tool."""

    calls: int = 0
    failed: int = 0
    runs: int = 0
    tiers: Counter[Tier] = field(default_factory=Counter[Tier])
    declared: int = 0  # calls whose tier came with them, and is no guess
    arguments: Counter[str] = field(default_factory=Counter[str])  # top-level names, where recorded
    recorded: int = 0  # calls whose arguments were recorded
    targets: Counter[str] = field(default_factory=Counter[str])
    worked: Counter[str] = field(default_factory=Counter[str])  # by argument that names something
    kept: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])  # with a read
    stale: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])  # of before
    echoed: Counter[str] = field(default_factory=Counter[str])  # answers that repeat a read's
    named: dict[str, set[str]] = field(default_factory=dict[str, set[str]])  # ids, by argument
    polled: int = 0  # runs in which it was asked the same until its answer changed
    repeats: int = 0  # most equal calls in one run

    @property
    def has_effect(self) -> bool:
        """True where any call could change something."""
        return any(tier.has_effect for tier in self.tiers)


@dataclass(slots=True)
class AgentSeen:
    """How much the runs of one agent used up."""

    runs: int = 0
    steps: list[int] = field(default_factory=list[int])
    tokens: list[int] = field(default_factory=list[int])
    seconds: list[float] = field(default_factory=list[float])
    errors: list[int] = field(default_factory=list[int])


class Read(NamedTuple):
    """One answer about one id."""

    at_ns: int
    answer: Fingerprint | None


@dataclass(slots=True)
class SubjectRead:
    """How one tool read about the id that another call's argument carried."""

    arguments: Counter[str] = field(default_factory=Counter[str])  # the read's own names for it
    oldest_s: float = 0.0  # the oldest read that was acted on


@dataclass(slots=True)
class Habits:
    """Everything that was counted so far."""

    runs: int = 0
    steps: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    tools: dict[str, ToolSeen] = field(default_factory=dict[str, ToolSeen])
    agents: dict[str, AgentSeen] = field(default_factory=dict[str, AgentSeen])
    subject_reads: dict[tuple[str, str], SubjectRead] = field(
        default_factory=dict[tuple[str, str], SubjectRead]
    )
    dropped: Counter[str] = field(default_factory=Counter[str])

    def recorded(
        self, runs: Iterable[tuple[Sequence[Step], Mapping[str, tuple[Any, bool]]]]
    ) -> Iterator[Sequence[Step]]:
        """Count runs on their way to whoever learns from them.

        Args:
            runs: steps of a run, once each and in event order; and by span id the arguments that
                its call recorded (None: none) and whether its tier came with it.
        """
        for steps, given in runs:
            if steps:
                self._record(steps, given)
                yield steps

    def _record(self, steps: Sequence[Step], given: Mapping[str, tuple[Any, bool]]) -> None:
        self.runs += 1
        self.steps += len(steps)
        began, ended = steps[0].began_at_ns, max(step.last_ns for step in steps)
        self.first_ns = began if self.first_ns is None else min(self.first_ns, began)
        self.last_ns = ended if self.last_ns is None else max(self.last_ns, ended)
        calls: defaultdict[str, list[Step]] = defaultdict(list)
        for step in steps:
            if step.action is not None and self._tool(step.action.tool) is not None:
                calls[step.action.tool].append(step)
        for tool, made in calls.items():
            seen = self.tools[tool]
            seen.runs += 1
            for step in made:
                record_call(seen, step, *given.get(step.span_id, (None, False)))
            record_repeats(seen, made)
        self._record_reads(steps)
        self._record_agents(steps)

    def _tool(self, name: str) -> ToolSeen | None:
        if name not in self.tools and len(self.tools) >= TOOLS_MAX:
            self.dropped["tools"] += 1
            return None
        return self.tools.setdefault(name, ToolSeen())

    def _record_reads(self, steps: Sequence[Step]) -> None:
        """Count which reads were about the ids that calls with an effect carried.

        A read from before the newest change of its subject is stale. Where that change's own
        answer repeats most of the read's, it counts as a read.
        """
        subject_reads: defaultdict[str, dict[tuple[str, str], Read]] = defaultdict(dict)
        changed_ns: dict[str, int] = {}
        for step in steps:
            action = step.action
            if action is None or action.outcome in (None, Outcome.FAILED):
                continue
            seen = self.tools.get(action.tool)
            if seen is None:
                continue
            named = [split(subject) for subject in action.subjects]
            record_ids(seen, named)
            if not action.tier.has_effect:
                if action.outcome is Outcome.OK:
                    for name, identifier in named:
                        subject_reads[identifier][action.tool, name] = Read(
                            step.last_ns, action.result
                        )
                continue
            self._record_rest(seen, step, named, subject_reads, changed_ns)
            for _, identifier in named:
                changed_ns[identifier] = step.last_ns
                for (source, argument), read in list(subject_reads[identifier].items()):
                    if echoes(action.result, read.answer):
                        seen.echoed[source] += 1
                        subject_reads[identifier][source, argument] = Read(
                            step.last_ns, action.result
                        )

    def _record_rest(
        self,
        seen: ToolSeen,
        step: Step,
        named: Sequence[tuple[str, str]],
        subject_reads: Mapping[str, Mapping[tuple[str, str], Read]],
        changed_ns: Mapping[str, int],
    ) -> None:
        """What one call with an effect rests on."""
        kept: set[tuple[str, str]] = set()
        stale: set[tuple[str, str]] = set()
        for name, identifier in named:
            for (source, argument), read in subject_reads.get(identifier, {}).items():
                fresh = read.at_ns >= changed_ns.get(identifier, read.at_ns)
                (kept if fresh else stale).add((name, source))
                if fresh:
                    self._record_pair(name, source, argument, (step.began_at_ns - read.at_ns) / 1e9)
        seen.worked.update({name for name, _ in named})
        seen.kept.update(kept)
        seen.stale.update(stale - kept)

    def _record_pair(self, name: str, source: str, argument: str, age_s: float) -> None:
        if (name, source) not in self.subject_reads and len(self.subject_reads) >= PAIRS_MAX:
            self.dropped["reads"] += 1
            return
        pair = self.subject_reads.setdefault((name, source), SubjectRead())
        pair.arguments[argument] += 1
        pair.oldest_s = max(pair.oldest_s, age_s)

    def _record_agents(self, steps: Sequence[Step]) -> None:
        """How much each agent of a run did."""
        by_agent: defaultdict[str, list[Step]] = defaultdict(list)
        for step in steps:
            if step.agent is not None:
                by_agent[step.agent].append(step)
        for name, done in by_agent.items():
            if name not in self.agents and len(self.agents) >= AGENTS_MAX:
                self.dropped["agents"] += 1
                continue
            seen = self.agents.setdefault(name, AgentSeen())
            seen.runs += 1
            if len(seen.steps) >= SAMPLES_MAX:
                continue
            seen.steps.append(sum(step.kind in WORK for step in done))
            seen.tokens.append(sum(step.tokens.total for step in done if step.tokens))
            lasted_ns = max(step.last_ns for step in done) - done[0].began_at_ns
            seen.seconds.append(lasted_ns / 1e9)
            failed = (s for s in done if s.action and s.action.outcome is Outcome.FAILED)
            seen.errors.append(sum(1 for _ in failed))


# What a budget counts as a step.
WORK = {StepKind.INFERENCE, StepKind.TOOL_CALL, StepKind.RETRIEVAL, StepKind.HAND_OFF}


def record_call(seen: ToolSeen, step: Step, arguments: Any, declared: bool) -> None:
    """Count one call of a tool."""
    action = step.action
    assert action is not None, "only calls are counted"
    seen.calls += 1
    seen.failed += action.outcome is Outcome.FAILED
    seen.tiers[action.tier] += 1
    seen.declared += declared
    if isinstance(arguments, dict):
        seen.recorded += 1
        values = cast("dict[Any, Any]", arguments)
        for name in [name for name, value in values.items() if not isinstance(value, dict | list)]:
            if name in seen.arguments or len(seen.arguments) < NAMES_MAX:
                seen.arguments[str(name)] += 1
    for target in action.targets:
        if target in seen.targets or len(seen.targets) < NAMES_MAX:
            seen.targets[target] += 1


def record_ids(seen: ToolSeen, named: Sequence[tuple[str, str]]) -> None:
    """Remember which ids each argument of a tool carried."""
    for name, identifier in named:
        if name in seen.named or len(seen.named) < NAMES_MAX:
            ids = seen.named.setdefault(name, set())
            if len(ids) < IDS_MAX:
                ids.add(identifier)


def echoes(answer: Fingerprint | None, read: Fingerprint | None) -> bool:
    """True where an answer repeats most of what an earlier read returned."""
    if answer is None or read is None or not read.sketch:
        return False
    return len(answer.sketch & read.sketch) >= ECHO_MIN * len(read.sketch)


def record_repeats(seen: ToolSeen, calls: Sequence[Step]) -> None:
    """Count a run in which a tool was asked the same again until its answer became another."""
    asked: defaultdict[str, list[Action]] = defaultdict(list)
    for step in calls:
        if step.action is not None:
            asked[step.action.arguments.digest].append(step.action)
    polled = False
    for same in asked.values():
        seen.repeats = max(seen.repeats, len(same))
        if len(same) >= REPEATS_MIN and not any(action.tier.has_effect for action in same):
            results = [action.result.digest for action in same if action.result is not None]
            repeated = len(set(results)) < len(results)
            polled = polled or (repeated and results[-1] != results[0])
    seen.polled += polled
