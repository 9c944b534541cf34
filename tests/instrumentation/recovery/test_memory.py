"""Working memory: what is left after compaction, and what no compaction may lose."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aftershock.policy.policy import Policy
from aftershock.recovery import WorkingMemory
from aftershock.recovery.memory import PINS_MAX, Message

POLICY = Policy.from_mapping(
    {
        "tools": {
            "scale": {"requires": [{"fact": "window", "subject": "prod"}]},
            "get_window": {"provides": [{"fact": "window", "subject": "{environment}"}]},
            "get_news": {"provides": [{"fact": "news"}]},
        }
    }
)


def summarise(before: str, messages: Sequence[Message]) -> str:
    """A model's summary: it forgets nearly everything."""
    return f"{before} +{len(messages)}"


def memory(**more: Any) -> WorkingMemory:
    return WorkingMemory(summarise, policy=POLICY, clock=lambda: 0.0, **more)


def message_of(text: str, role: str = "user", **more: Any) -> dict[str, Any]:
    return {"role": role, "content": text, **more}


def test_a_required_fact_survives_every_compaction() -> None:
    held = memory(tokens_max=200, recent=2)
    held.add_result("get_window", {"environment": "prod"}, message_of("closed until 6", "tool"))
    held.add_result("get_news", {}, message_of("nothing new", "tool"))
    for number in range(100):
        held.add(message_of(f"message {number} " + "x" * 40))

    texts = [str(message["content"]) for message in held.messages]

    assert "window of prod (read 0 s ago): closed until 6" in texts[0]
    assert "nothing new" not in "".join(texts), "no tool requires it"
    assert "What happened before" in texts[1]
    assert "message 99" in texts[-1]
    assert len(texts) < 12


def test_a_newer_fact_takes_the_place_of_the_older_one() -> None:
    held = memory()
    held.add_result("get_window", {"environment": "prod"}, message_of("open", "tool"))
    held.add_result("get_window", {"environment": "prod"}, message_of("closed", "tool"))
    held.add_result("get_window", {"environment": "test"}, message_of("always", "tool"))

    assert [(pin.subject, pin.text) for pin in held.facts] == [
        ("prod", "closed"), ("test", "always"),
    ]  # fmt: skip


@given(
    st.lists(st.sampled_from(["user", "assistant", "call"]), max_size=60),
    st.integers(1, 6),
    st.integers(20, 400),
)
def test_a_call_and_its_results_are_never_parted(
    turns: list[str], recent: int, tokens: int
) -> None:
    held = memory(tokens_max=tokens, recent=recent)
    for place, turn in enumerate(turns):
        if turn == "call":
            ids = [f"{place}-{number}" for number in range(2)]
            held.add(message_of("", "assistant", tool_calls=[{"id": one} for one in ids]))
            for one in ids:
                held.add(message_of("result " * 5, "tool", tool_call_id=one))
        else:
            held.add(message_of("words " * 5, turn))

    asked: set[str] = set()
    for message in held.messages:
        asked |= {one["id"] for one in message.get("tool_calls", ())}
        if message["role"] == "tool":
            assert message["tool_call_id"] in asked
    assert len(held.messages) >= min(recent, len(turns))


def test_a_model_that_cannot_summarise_ends_nothing_and_facts_stay() -> None:
    def broken(_before: str, _messages: Sequence[Message]) -> str:
        raise TimeoutError("the model is away")

    held = WorkingMemory(broken, tokens_max=100, recent=1, policy=POLICY, clock=lambda: 0.0)
    held.pin("window", "prod", "closed")
    for number in range(20):
        held.add(message_of(f"message {number} " + "x" * 80))

    texts = "".join(str(message["content"]) for message in held.messages)
    assert "closed" in texts
    assert texts.count("Earlier messages were removed") == 1
    assert "message 19" in texts


def test_an_async_summary_leaves_what_was_added_meanwhile() -> None:
    async def scene() -> list[Message]:
        held = WorkingMemory(tokens_max=10, recent=1, policy=POLICY)
        for number in range(5):
            held.add(message_of(f"message {number}"))

        async def slowly(before: str, messages: Sequence[Message]) -> str:
            held.add(message_of("meanwhile"))
            return summarise(before, messages)

        assert held.is_full
        await held.compact_async(slowly)
        return held.messages

    texts = [str(message["content"]) for message in asyncio.run(scene())]
    assert texts == ["What happened before:\n +4", "message 4", "meanwhile"]


def test_facts_are_bounded_and_required_ones_stay_longest() -> None:
    held = memory()
    held.pin("window", "prod", "closed")
    for number in range(500):
        held.pin("other", str(number), "x" * 10_000)

    assert len(held.facts) == PINS_MAX
    assert held.facts[0].kind == "window"
    assert all(len(pin.text) < 2_100 for pin in held.facts)
