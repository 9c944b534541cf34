"""The cells of the table: what is asked of each program, and whether its run shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aftershock.attributes import (
    CACHE_READ_TOKENS,
    OPERATION,
    REASONING_SIZE,
    REASONING_TOKENS,
)
from aftershock.model import Action, Outcome, Step, StepKind
from aftershock.recorder.invocation_metrics import INFERENCES
from tests.support.coding_agents.model_apis import CACHED, REASONED, RETURNED, SENT
from tests.support.frameworks.catalogue import Program
from tests.support.frameworks.play import (
    FINAL,
    FINISH,
    HAND_OFF,
    HANDS_OFF,
    LAST,
    PROMPT_WORD,
    RESULT_WORD,
    THOUGHT_WORD,
)
from tests.support.frameworks.playing import Judged, Played

EFFECT = "checkout=12\n"
COUNTED = {  # some APIs count what a cache holds, or thoughts, apart
    (sent, returned)
    for sent in (SENT, SENT + CACHED)
    for returned in (RETURNED, RETURNED + REASONED)
}


@dataclass(frozen=True, slots=True)
class Scenes:
    """One program, played four times."""

    program: Program
    alone: Played  # without us
    loop: Played  # the main prompt
    raises: Played  # the prompt whose tool raises
    gated: Played  # the main prompt, with a policy that denies the action


def works(scenes: Scenes) -> bool:
    """The app does, prints and is asked what it would be without us."""
    seen, alone = scenes.loop, scenes.alone
    return (
        alone.status == 0
        and LAST in alone.printed
        and (seen.status, seen.printed, seen.effects) == (0, alone.printed, EFFECT)
        and len(seen.asked) == len(alone.asked)
    )


def is_private(scenes: Scenes) -> bool:
    """Nothing of prompts, thoughts and results is kept."""
    words = (PROMPT_WORD, THOUGHT_WORD, RESULT_WORD)
    kept = scenes.loop.kept + scenes.raises.kept + scenes.gated.kept
    return bool(scenes.loop.kept) and not any(word in kept for word in words)


def one_run(scenes: Scenes) -> bool:
    """One task is one run, and it has an end."""
    run = only(scenes.loop)
    return run is not None and run.summary.ended_at_ns is not None and not run.summary.open


def agent(scenes: Scenes) -> bool:
    """The run and each of its steps have the agent's name."""
    run = only(scenes.loop)
    if run is None or not run.run.steps:
        return False
    expected = set(scenes.program.agents) or {scenes.program.named}
    acting = [*run.steps(StepKind.INFERENCE), *run.steps(StepKind.TOOL_CALL)]
    return (
        run.summary.agents[:1] == (scenes.program.named,)
        and {step.agent for step in acting} == expected
    )


def steps(scenes: Scenes) -> bool:
    """Each call of the model is one inference."""
    return len(inferences(scenes.loop)) == len(scenes.program.turns) + scenes.program.closing


def tools(scenes: Scenes) -> bool:
    """Each call of a tool is one step with its call id, and its fingerprints."""
    calls = [action for action in actions(scenes.loop) if not is_internal(action.tool)]
    known = [one for one in calls if one.result is not None and one.call_id]
    asked = [call for turn in scenes.program.turns for call in turn if call[0] != HAND_OFF]
    ids = {one.call_id for one in known}
    return (
        len(known) == len(ids) == len(asked)
        # A call that waited for a person was begun twice.
        and {one.call_id for one in calls} == ids
        and len({(one.tool, one.arguments.digest) for one in known}) == 2
    )


def tokens(scenes: Scenes) -> bool:
    """Each inference has the tokens that the model reported."""
    counted = [step.tokens for step in inferences(scenes.loop)]
    return bool(counted) and all(
        one is not None and (one.input, one.output) in COUNTED for one in counted
    )


def loop(scenes: Scenes) -> bool:
    """The repeated reads are found once."""
    return sum(run.found("repeated_action") for run in scenes.loop.runs) == 1


def facts(scenes: Scenes) -> bool:
    """The action without its fact is found once, and its target is observed."""
    impacts = {impact.entity for run in scenes.loop.runs for impact in run.impacts}
    found = sum(run.found("missing_fact") for run in scenes.loop.runs)
    return found == 1 and impacts == {"service/checkout"}


def reasoning(scenes: Scenes) -> bool:
    """Each inference says that the model reasoned, and what it read from a cache."""
    spans = [span for span in scenes.loop.spans if span.get(OPERATION) in INFERENCES]
    return bool(spans) and all(
        (REASONING_SIZE in span or REASONING_TOKENS in span) and span.get(CACHE_READ_TOKENS)
        for span in spans
    )


def hand_offs(scenes: Scenes) -> bool:
    """The hand-off is a step; what each agent did before and after it is its own."""
    run = only(scenes.loop)
    if run is None:
        return False
    first, second = scenes.program.agents
    acting = [step.agent for step in run.steps(StepKind.INFERENCE)]
    handed = [(step.agent, step.name) for step in run.steps(StepKind.HAND_OFF)]
    return acting == [first, *[second] * (len(acting) - 1)] and handed == [(first, second)]


def errors(scenes: Scenes) -> bool:
    """The call that raised has failed, and its step has the error's class."""
    calls = actions(scenes.raises)
    failed = [one for one in calls if one.outcome is Outcome.FAILED and one.error_class]
    return len(failed) == 1 and len(failed) == len([c for c in calls if not is_internal(c.tool)])


def gate(scenes: Scenes) -> bool:
    """A call that the policy denies does not run, the model reads why, and the app goes on."""
    held = scenes.gated
    return (
        held.status == 0
        and not held.effects
        and LAST in held.printed
        and any("was not run" in body for body in held.asked)
    )


CELLS: Mapping[str, Callable[[Scenes], bool]] = {
    "works": works,
    "private": is_private,
    "runs": one_run,
    "agent": agent,
    "steps": steps,
    "tools": tools,
    "tokens": tokens,
    "reasoning": reasoning,
    "hand-offs": hand_offs,
    "errors": errors,
    "loop": loop,
    "facts": facts,
    "gate": gate,
}


def only(played: Played) -> Judged | None:
    """The run, where there is one."""
    return played.runs[0] if len(played.runs) == 1 else None


def inferences(played: Played) -> list[Step]:
    return [step for run in played.runs for step in run.steps(StepKind.INFERENCE)]


def actions(played: Played) -> list[Action]:
    steps = [step for run in played.runs for step in run.steps(StepKind.TOOL_CALL)]
    return [step.action for step in steps if step.action is not None]


def is_internal(tool: str) -> bool:
    """Whether a tool is the framework's own: for a hand-off, or for the last words."""
    return any(mark in tool for mark in HANDS_OFF) or tool in {FINAL, FINISH}
