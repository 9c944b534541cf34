"""Explanations that a policy requires: what an agent thinks it knows, and why it acts.

A text counts that a person can read: of a recorded decision about the call, or of an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.approval import Gate
from aftershock.gate.admission import Code, Reason
from aftershock.policy.policy import ANY, Policy, argument_text, rule_of
from aftershock.rules.unexplained_action import explains

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from aftershock.model import Run, Step

EXPLAIN = "explain"  # the tool by which a model explains a call
ARGUMENTS = ("because", "explanation", "justification", "why")  # that hold one by their names
WORDS_MIN = 4  # "it is too slow" says why; "ok", "as asked" and "fix it" do not
WHAT = "in words that a person understands: what you know, and why you act"


def given_with(tool: str, arguments: Mapping[str, Any], policy: Policy) -> str:
    """The explanation that an argument of the call gives; empty where none does."""
    explain = rule_of(policy, tool).explain
    names = ARGUMENTS if explain is None or explain.argument is None else (explain.argument,)
    for name in names:
        if (value := argument_text(name, arguments)) != ANY:
            return value
    return ""


def without_explanation(
    tool: str, arguments: Mapping[str, Any], policy: Policy, run: Run, step: Step
) -> Iterator[Reason]:
    """One reason for a call that nobody can read why it is made. `step`: the call itself."""
    text = given_with(tool, arguments, policy)
    if says_why(text):
        return
    action = step.action
    assert action is not None
    recorded = [one for one in run.steps if one.decision is not None]
    if recorded and explains(run, recorded[-1], step, action):
        decision = recorded[-1].decision
        text = (decision.because or "") if decision is not None else ""
        if says_why(text):
            return
    lacks = f"no more than {text.strip()!r}" if text.strip() else "no explanation"
    yield Reason(
        Code.EXPLANATION,
        Gate.DENY,
        f"{tool} needs an explanation that a person can read, and was given {lacks}.",
        how_to_give(tool, policy),
    )


def says_why(text: str) -> bool:
    """True for a text of some words."""
    return len(text.split()) >= WORDS_MIN


def how_to_give(tool: str, policy: Policy) -> str:
    """What the agent should do, by what its policy names."""
    explain = rule_of(policy, tool).explain
    if explain is not None and explain.argument is not None:
        return f"Make the call again with `{explain.argument}`, {WHAT}."
    return (
        f"Call `{EXPLAIN}` first, or give it as the argument `{ARGUMENTS[0]}`, {WHAT}; "
        "then make the same call again."
    )
