"""What a page says of a run beside its findings: the call with its arguments, the goal, the place.

From the run's steps and the policy. Arguments are those that are no content; see
`aftershock.fingerprints.plain_arguments`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aftershock.model import Finding, Step
from aftershock.policy.admission import Mode
from aftershock.policy.policy import PLACEHOLDER, Policy, rule_of
from aftershock.runs.fold import Window

EVIDENCE_MAX = 16  # of a finding's spans that are looked at for the call that it is about


@dataclass(frozen=True, slots=True)
class RunContext:
    """What is known of the run that a page is about. None: not known."""

    agent: str | None = None  # the outermost one
    service: str | None = None
    process: str | None = None  # as `Step.process`: pid/<host>/<pid>, pod/<namespace>/<pod>, …
    environment: str | None = None
    cluster: str | None = None
    team: str | None = None
    goal: str | None = None  # as the agent recorded it
    peer: str | None = None  # who sent the telemetry, where that is not this machine
    is_mixed: bool = False  # its steps name more than one process
    call: str | None = None  # the tool with those of its arguments that are no content
    acted_at_ns: int | None = None  # when that call began
    last_ns: int | None = None  # the newest sign of life of the run
    ended_at_ns: int | None = None  # None: the run is not known to be over
    is_gated: bool = False  # the policy has a gate: its processes obey `aftershock stop`
    undo: str | None = None  # how a person undoes that call, by the policy


def of_window(
    window: Window, finding: Finding, policy: Policy, peer: str | None = None
) -> RunContext:
    """The context of a run that is in memory."""
    return _context(window, _acted(finding, window.of_span), policy, peer)


def of_steps(steps: Sequence[Step], finding: Finding, policy: Policy) -> RunContext:
    """The context of a run from the store."""
    window = Window(finding.run_id, policy.limits)
    window.add(steps)
    calls = {step.span_id: step for step in steps if step.action is not None}
    return _context(window, _acted(finding, calls.get), policy, None)


def call_words(step: Step) -> str | None:
    """`scale(replicas=12)`, or `scale` where no argument may be named; None for what is no call."""
    if step.action is None:
        return None
    named = f"({', '.join(step.action.plain)})" if step.action.plain else ""
    return f"{step.action.tool}{named}"


def undo_words(step: Step, policy: Policy) -> str | None:
    """What the policy says, with the call's arguments; a placeholder without a value stays."""
    if step.action is None:
        return None
    text = rule_of(policy, step.action.tool).undo
    known = dict(argument.split("=", 1) for argument in step.action.plain)
    return None if text is None else PLACEHOLDER.sub(lambda m: known.get(m[1], m[0]), text)


def _acted(finding: Finding, of_span: Callable[[str], Step | None]) -> Step | None:
    """The call that a finding is about: the judged one, else the newest of its evidence.

    What was read before an action is evidence too, so that the order of evidence says nothing.
    """
    judged = None if finding.impact is None else of_span(finding.impact.span_id)
    if judged is not None and judged.action is not None:
        return judged
    spans = dict.fromkeys((*finding.evidence[:1], *finding.evidence[-EVIDENCE_MAX:]))
    found = (step for span in spans if (step := of_span(span)) is not None)
    calls = [step for step in found if step.action is not None]
    return max(calls, key=lambda step: step.began_at_ns, default=None)


def _context(window: Window, acted: Step | None, policy: Policy, peer: str | None) -> RunContext:
    own = acted is not None and acted.process is not None
    return RunContext(
        agent=window.agent,
        service=window.service,
        process=acted.process if acted is not None and own else window.process,
        environment=window.environment,
        cluster=window.cluster,
        goal=window.goal,
        peer=peer,
        is_mixed=window.is_mixed,
        call=None if acted is None else call_words(acted),
        undo=None if acted is None else undo_words(acted, policy),
        acted_at_ns=None if acted is None else acted.began_at_ns,
        last_ns=window.received_at_ns,
        ended_at_ns=window.ended_at_ns,
        is_gated=policy.gate.mode is not Mode.OFF,
    )
