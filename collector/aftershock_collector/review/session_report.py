"""What sessions of coding agents did: loops, failures called successes, risk, and what it cost.

A report holds counts and a bounded number of rows of each kind. Commands in rows are redacted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NamedTuple, cast

from aftershock.model import Claim, Level, Outcome, Step, StepKind, Tier
from aftershock.policy.policy import Policy, limits_for
from aftershock.policy.prices import cost_of
from aftershock.policy.tiers import COMMAND_KEYS
from aftershock.rules import RULES, Family, kinds_of
from aftershock.rules.endings import failed_silently
from aftershock_collector.review.spending import Saving, histories_of, saving_of

ROWS_MAX = 200  # of each kind; more are counted only
COMMAND_CHARS_MAX = 400
STEPS_JUDGED_MAX = 20_000  # of a session whose loss is computed; judging each step costs 0.2 ms
PATH_KEYS = ("file_path", "filePath", "path", "notebook_path", "absolute_path")
PATCHED = re.compile(r"^\*\*\* (?:Update|Add|Delete) File: (.+?)\s*$", re.MULTILINE)
LOOPS = kinds_of(rule for rule in RULES if rule.family is Family.LOOPS)
RISKY = frozenset({Tier.DESTRUCTIVE, Tier.PROVISION, Tier.DECOMMISSION})


class Called(NamedTuple):
    """One tool call of a session, as the report reads it."""

    step: Step
    arguments: Mapping[str, Any]  # redacted
    tier: Tier  # by its command, whether or not it ran
    called_success: bool = False  # by the agent


class CallRow(NamedTuple):
    """One call of a session, as a row."""

    run_id: str
    agent: str
    at_ns: int
    tool: str
    command: str  # or the arguments; redacted
    tier: Tier
    outcome: str  # ran | failed | denied | not known
    targets: tuple[str, ...] = ()
    error: str = ""


class Loop(NamedTuple):
    """One finding about repetition, with what the session spent while it was certain."""

    claim: Claim
    saving: Saving | None


@dataclass(slots=True)
class SessionReport:
    """All sessions so far."""

    sessions: Counter[str] = field(default_factory=Counter[str])  # agent → sessions
    calls: int = 0
    failed: int = 0
    inferences: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    unpriced: Counter[str] = field(default_factory=Counter[str])  # model → inferences
    first_ns: int | None = None
    last_ns: int | None = None
    loops: list[Loop] = field(default_factory=list[Loop])
    green: list[CallRow] = field(default_factory=list[CallRow])  # failed, and called a success
    risky: list[CallRow] = field(default_factory=list[CallRow])
    counts: Counter[str] = field(default_factory=Counter[str])  # of rows, kept or not
    tiers: Counter[Tier] = field(default_factory=Counter[Tier])  # of risky calls
    files: Counter[str] = field(default_factory=Counter[str])  # folder → files that were written
    targets: Counter[str] = field(default_factory=Counter[str])  # entity → calls with an effect
    lost_ns: int = 0
    lost_usd: float = 0.0
    rejected: Counter[str] = field(default_factory=Counter[str])  # what could not be read
    not_judged: int = 0  # sessions too long for the loss to be computed
    _written: set[str] = field(default_factory=set[str])

    def add(  # noqa: PLR0917
        self,
        agent: str,
        folder: str,
        calls: Sequence[Called],
        steps: Sequence[Step],
        claims: Iterable[Claim],
        policy: Policy,
    ) -> None:
        """Count one session.

        Args:
            agent: whose session it is.
            folder: where it worked; "": not known.
            calls: its tool calls.
            steps: all steps of the session.
            claims: what was found in it.
            policy: prices and limits.
        """
        if not steps:
            return
        self.sessions[agent] += 1
        began, ended = min(s.began_at_ns for s in steps), max(s.last_ns for s in steps)
        self.first_ns = began if self.first_ns is None else min(self.first_ns, began)
        self.last_ns = ended if self.last_ns is None else max(self.last_ns, ended)
        for step in steps:
            if step.kind is StepKind.INFERENCE:
                self._add_inference(step, policy)
        for call in calls:
            self._add_call(call, folder)
        self._add_loops(steps, [c for c in claims if c.finding.kind in LOOPS], policy)

    def _add_inference(self, step: Step, policy: Policy) -> None:
        self.inferences += 1
        self.tokens += step.tokens.total if step.tokens else 0
        cost = cost_of(step, limits_for(policy, step.agent))
        if cost is None:
            self.unpriced[step.name] += 1
        self.cost_usd += cost or 0.0

    def _add_call(self, call: Called, folder: str) -> None:
        step, action = call.step, call.step.action
        if action is None:
            return
        self.calls += 1
        denied = step.error == "denied"
        failed = not denied and action.outcome is Outcome.FAILED
        self.failed += failed
        outcome = "denied" if denied else "failed" if failed else "ran"
        if action.outcome is None and not denied:
            outcome = "not known"
        row = CallRow(
            step.run_id, step.agent or "", step.began_at_ns, action.tool,
            command_of(call.arguments), call.tier, outcome, action.targets, step.error or "",
        )  # fmt: skip
        if failed and (call.called_success or failed_silently(step)):
            self._keep("green", self.green, row)
        if row.tier in RISKY:
            self.tiers[row.tier] += 1
            self._keep("risky", self.risky, row)
        if row.tier.has_effect and not denied:
            self.targets.update(action.targets)
            for path in paths_in(call.arguments, folder):
                if path not in self._written:
                    self._written.add(path)
                    self.files[str(PurePosixPath(path).parent)] += 1

    def _add_loops(self, steps: Sequence[Step], claims: Sequence[Claim], policy: Policy) -> None:
        if not claims:
            return
        judged = len(steps) <= STEPS_JUDGED_MAX
        self.not_judged += not judged
        histories = histories_of(steps, policy) if judged else {}
        savings: list[Saving] = []
        for claim in claims:
            if claim.finding.level is not Level.ALARM:
                self.counts["repetitions"] += 1
                continue
            saving = saving_of(claim, steps, histories, policy) if judged else None
            savings += [] if saving is None else [saving]
            self.counts["loops"] += 1
            if len(self.loops) < ROWS_MAX:
                self.loops.append(Loop(claim, saving))
        # What one session lost in several loops overlaps: the longest stands for all.
        self.lost_ns += max((one.duration_ns for one in savings), default=0)
        self.lost_usd += max((one.spent.cost_usd for one in savings), default=0.0)

    def _keep(self, kind: str, rows: list[CallRow], row: CallRow) -> None:
        self.counts[kind] += 1
        if len(rows) < ROWS_MAX:
            rows.append(row)

    @property
    def files_written(self) -> int:
        """How many different files."""
        return len(self._written)


def command_of(arguments: Mapping[str, Any]) -> str:
    """What a call was asked to do, in one bounded text."""
    for key in COMMAND_KEYS:
        text = arguments.get(key)
        if isinstance(text, str) and text:
            return text[:COMMAND_CHARS_MAX]
    shown = [f"{name}={value}" for name, value in arguments.items()]
    return ", ".join(shown)[:COMMAND_CHARS_MAX]


def paths_in(arguments: Mapping[str, Any], folder: str) -> list[str]:
    """Files that a call names, as paths from the root where the folder is known."""
    found = [arguments[key] for key in PATH_KEYS if isinstance(arguments.get(key), str)]
    for value in arguments.values():
        if isinstance(value, str) and "*** " in value:
            found += PATCHED.findall(value)
    root = PurePosixPath(folder)
    return [str(root / path) if folder else path for path in cast("list[str]", found)]
