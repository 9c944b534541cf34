"""Injected orders: what the gate holds back of attacks that succeed, and of honest writes.

Attacks are runs in which the agent obeys, made with AgentDojo's own environments and ground truth
(`build_injections.py`); honest writes are those of the user in the same runs, and in AgentDojo's
recordings without an attack. The phrases were chosen on two suites; the other two are reported
beside them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aftershock.fingerprints.embedded_orders import seems_to_give_orders
from aftershock.gate.decide import Call, decide
from aftershock.guard.ledger import Ended, Ledger
from aftershock.policy.policy import Policy, limits_for, tier_of
from tests.evaluation.traces import load

OBEYED = Path(__file__).parents[1] / "data" / "agentdojo-obeyed.jsonl.gz"
HALVES = {"developed on": ("banking", "slack"), "kept back": ("workspace", "travel")}
GATE = {"mode": "enforce", "untrusted": "ask"}
MARKS = Policy.from_mapping({"gate": GATE})
# As strict as it gets: no result is relied on, whether it is marked or not.
NO_RESULT = Policy.from_mapping({"gate": GATE, "tools": {"*": {"untrusted": True}}})
RUN, AGENT, SECOND_NS = "run", "agent", 1_000_000_000

Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Made:
    """A call of a run as it was made, and what it returned."""

    tool: str
    arguments: Mapping[str, Any]
    result: str
    is_attack: bool = False


@dataclass(slots=True)
class Count:
    """How many of how many."""

    held: int = 0
    of: int = 0

    def add(self, *, held: bool) -> None:
        """One more."""
        self.held, self.of = self.held + held, self.of + 1

    def __str__(self) -> str:
        return f"{self.held / max(1, self.of):.1%} of {self.of}"


def obeyed_runs() -> list[dict[str, Any]]:
    """Every constructed run."""
    with gzip.open(OBEYED, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def calls_of(record: Mapping[str, Any]) -> list[Made]:
    """The calls of a constructed run."""
    return [
        Made(one["tool"], one["args"], one["result"], one["by"] == "attacker")
        for one in record["steps"]
    ]


def recorded_calls(record: Mapping[str, Any]) -> tuple[str, list[Made]]:
    """The user's words, and the calls, of a recording."""
    words = [s["result"] for s in record["steps"] if s["kind"] == "message" and s["name"] == "user"]
    calls = [
        Made(step["name"], step.get("args") or {}, step.get("result") or "")
        for step in record["steps"]
        if step["kind"] == "tool"
    ]
    return "\n".join(words), calls


def held_back(prompt: str, calls: Iterable[Made], policy: Policy) -> Iterator[tuple[Made, bool]]:
    """(A call with an effect, whether it is held back), in the order of the run.

    A person who is asked lets what the user wanted pass, and nothing else.
    """
    limits = limits_for(policy, AGENT)
    ledger = Ledger(lambda: policy, lambda _agent: limits, lambda: True)
    ledger.rely_on(RUN, AGENT, prompt)
    now_ns = SECOND_NS
    for made in calls:
        call = Call(made.tool, made.arguments, RUN, AGENT)
        found = decide(
            call,
            policy,
            limits,
            lambda: ledger.run(RUN, AGENT, now_ns),  # noqa: B023 (called before the next)
            None,
            lambda: ledger.shown(RUN, AGENT),
        )
        if tier_of(policy, made.tool, made.arguments).has_effect:
            yield made, not found.lets_pass
        if found.lets_pass or not made.is_attack:
            ledger.add(RUN, AGENT, Ended(call, now_ns, now_ns, made.result))
        now_ns += SECOND_NS


def attacks(records: Sequence[Mapping[str, Any]], policy: Policy) -> tuple[Count, Count, Count]:
    """Attacks of which a call was held back, honest writes that were, results that are marked."""
    stopped, honest, marked = Count(), Count(), Count()
    for record in records:
        calls = calls_of(record)
        judged = list(held_back(record["prompt"], calls, policy))
        stopped.add(held=any(held for made, held in judged if made.is_attack))
        for made, held in judged:
            if not made.is_attack:
                honest.add(held=held)
        before = calls[: next(i for i, made in enumerate(calls) if made.is_attack)]
        marked.add(held=any(seems_to_give_orders(made.result) for made in before))
    return stopped, honest, marked


def clean_writes(suites: Sequence[str], policy: Policy) -> Count:
    """Writes of recordings without an attack, of runs that did what they should, that are held."""
    honest = Count()
    for record in load("agentdojo-clean"):
        if record["meta"]["suite"] in suites and record["labels"]["utility"]:
            for _, held in held_back(*recorded_calls(record), policy):
                honest.add(held=held)
    return honest


def rows() -> Iterator[Row]:
    """(What, figure) for both halves. Without a guard nothing is held back of either."""
    records = [
        one for one in obeyed_runs() if any(step["by"] == "attacker" for step in one["steps"])
    ]
    yield "  attacks that succeed held, no guard", "0.0%"
    for half, suites in HALVES.items():
        own = [record for record in records if record["suite"] in suites]
        title = f"{half} ({', '.join(suites)})"
        for name, policy in (("marked results", MARKS), ("any result", NO_RESULT)):
            stopped, honest, marked = attacks(own, policy)
            yield f"attacks held, {name}, {title}", str(stopped)
            yield "  honest writes held in these runs", str(honest)
            yield "  honest writes held without an attack", str(clean_writes(suites, policy))
            if policy is MARKS:
                yield "  results with the order that are marked", str(marked)
                yield from by_attack(own)


def by_attack(records: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """The same for each way to word an order."""
    for name in sorted({record["attack"] for record in records}):
        stopped, _, marked = attacks([one for one in records if one["attack"] == name], MARKS)
        yield f"    held, {name}", f"{stopped}, marked {marked}"
