"""What the scripted model does in every framework: a loop, an action without its fact, an answer.

The next move depends on the request alone: how many results of calls it carries, or continues.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.coding_agents.model_apis import Answer, Asked, Call

# Words that stand in content only: none of them may be found in a store.
PROMPT_WORD, THOUGHT_WORD, RESULT_WORD = "zanzibar", "quokka", "narwhal"
LOOP = f"Checkout is slow at the {PROMPT_WORD} site. Mend it."
RAISES = f"Billing is slow at the {PROMPT_WORD} site. What is its status?"
THOUGHT = f"A {THOUGHT_WORD} would look at the status first."
LAST = "Checkout is healthy again."
HAND_OFF = "hand_off"  # whichever tool a framework offers for it

FINAL = "final_answer"  # the tool that some frameworks have the last words given to
FINISH = "finish"  # the tool that says that nothing more is to be called
RESULTS_AS_TEXT = (
    "Observation:\n",
    "Error:\n",
    "[[ ## observation_",
)  # before each result, where they are parts of a prompt
QUOTED_RESULTS = (
    "` tool returned result:",
    "\nTransferred to ",
)  # at each of another agent, where it is quoted
HANDS_OFF = ("transfer", "handoff", "hand_off", "delegate_task_to_member")  # in tools' names
MEMBER = re.compile(r'<member id=\\"([^"\\]+)')  # as Agno lists who can be handed the task
CODE = "<code>"  # what code is to begin with, where a model acts by writing it
NEXT_TOOL, REASONING, ANSWER = "[[ ## next_tool_name", "[[ ## reasoning ## ]]", "[[ ## answer ## ]]"

READ: Call = ("get_status", {"service": "checkout"})
SCALE: Call = ("scale_workers", {"service": "checkout", "replicas": 12})
READS = 8
Turn = Sequence[Call]
ONE_BY_ONE: tuple[Turn, ...] = (*[[READ]] * READS, [SCALE])
IN_PAIRS: tuple[Turn, ...] = (*[[READ, READ]] * (READS // 2), [SCALE])
SHORT: tuple[Turn, ...] = (*[[READ]] * 4, [SCALE])  # of those that stop a loop themselves
HANDED_ON: tuple[Turn, ...] = ([(HAND_OFF, {})], *ONE_BY_ONE)
FAILING: tuple[Turn, ...] = ([("get_status", {"service": "billing"})],)


@dataclass(slots=True)
class Play:
    """The turns for the main prompt; the other prompt asks for a call that raises."""

    turns: Sequence[Turn]
    asked: list[Asked] = field(default_factory=list[Asked])
    # Id of an answer → prompt, results and tools up to there, of a history that is not sent again.
    _before: dict[str, tuple[str, int, Any]] = field(default_factory=dict[str, Any])

    def answer(self, asked: Asked, number: int) -> Answer:
        """The next turn, or the last words."""
        self.asked.append(asked)
        thread: Any = asked.body.get("thread") or {}
        before = asked.body.get("previous_response_id") or thread.get("previous_message_id")
        prompt, results, tools = self._before.get(str(before), ("", 0, {}))
        prompt, results, tools = (
            prompt + asked.prompt,
            results + asked.results,
            asked.tools or tools,
        )
        for prefix in ("resp", "msg"):
            self._before[f"{prefix}_{number:08d}"] = prompt, results, tools
        results = max(results, sum(prompt.count(mark) for mark in RESULTS_AS_TEXT))
        results += sum(prompt.count(mark) for mark in QUOTED_RESULTS)
        if CODE in json.dumps(asked.body.get("messages")) and not tools:
            return Answer(text=self._code(prompt, results), thought=THOUGHT)
        asks_for_text = NEXT_TOOL in json.dumps(asked.body)
        place = 0
        handing_on = [turn for turn in self.turns if turn[0][0] == HAND_OFF]
        for turn in (*handing_on, *FAILING) if "Billing" in prompt else self.turns:
            if turn[0][0] == HAND_OFF and begins_anew(asked, tools):
                continue
            if results <= place and asks_for_text:
                return Answer(text=as_fields(*turn[0]), thought=THOUGHT)
            if results <= place and tools:
                return Answer([named(call, tools, asked) for call in turn], thought=THOUGHT)
            place += len(turn)
        if asks_for_text:
            return Answer(text=as_fields(FINISH, {}), thought=THOUGHT)
        if ANSWER in json.dumps(asked.body):
            return Answer(text=f"{REASONING}\n{THOUGHT}\n\n{ANSWER}\n{LAST}\n", thought=THOUGHT)
        if FINAL in tools:
            return Answer([(FINAL, {"answer": LAST})], thought=THOUGHT)
        return Answer(text=LAST, thought=THOUGHT)

    def _code(self, prompt: str, results: int) -> str:
        """The next turn as code that calls tools; at last a call with the last words."""
        turns = FAILING if "Billing" in prompt else self.turns
        calls = turns[results] if results < len(turns) else [(FINAL, {"answer": LAST})]
        lines = [f"print({tool}({as_keywords(arguments)}))" for tool, arguments in calls]
        return "\n".join([THOUGHT, CODE, *lines, "</code>"])


def as_keywords(arguments: Mapping[str, Any]) -> str:
    """Arguments as they stand in a call of Python."""
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def as_fields(tool: str, arguments: Mapping[str, Any]) -> str:
    """A call as DSPy has its models write it."""
    thought, name, given = (
        f"[[ ## next_{one} ## ]]" for one in ("thought", "tool_name", "tool_args")
    )
    return f"{thought}\n{THOUGHT}\n\n{name}\n{tool}\n\n{given}\n{json.dumps(arguments)}\n"


def named(call: Call, tools: Mapping[str, Any], asked: Asked) -> Call:
    """A call by the name that the framework offers the tool by."""
    wanted, arguments = call
    if wanted == HAND_OFF:
        name = hand_off_tool(tools)
        assert name is not None
        known: dict[str, Any] = tools[name].get("properties", {})
        return name, {
            key: value
            for key, one in known.items()
            if (value := value_of(key, one, asked)) is not None
        }
    return next((n for n in tools if n == wanted or n.endswith(wanted)), wanted), arguments


def hand_off_tool(tools: Iterable[str]) -> str | None:
    """The tool that gives the task to another agent, where one is offered."""
    return next((name for name in tools if any(mark in name for mark in HANDS_OFF)), None)


def begins_anew(asked: Asked, tools: Mapping[str, Any]) -> bool:
    """Whether an agent that was handed a task is told nothing of the call that did it."""
    if not tools or hand_off_tool(tools) is not None:
        return False
    return not any(mark in json.dumps(asked.body) for mark in (*HANDS_OFF, "Transferred to"))


def value_of(key: str, schema: Mapping[str, Any], asked: Asked) -> str | None:
    """An argument of a hand-off: the agent that is to do the task, or the task. None: another."""
    if schema.get("enum"):
        return schema["enum"][0]
    if key == "member_id":
        member = MEMBER.search(json.dumps(asked.body))
        return member[1] if member else None
    if key == "task":
        return RAISES if "Billing" in asked.prompt else LOOP
    return None
