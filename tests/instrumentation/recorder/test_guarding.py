"""Tools behind the gate: every kind of function, what the model reads, and what spans say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any

import pytest

import aftershock
from aftershock import attributes as names
from aftershock.recorder import guarding
from aftershock.recorder.drop_counters import drop_counts
from tests.instrumentation.conftest import Recorder, own

DENY = "gate: {mode: enforce, tiers: {destructive: deny}}"


def test_without_a_gate_in_the_policy_no_guard_is_made(policy: Any, recorder: Recorder) -> None:
    policy("tools: {delete_all: {gate: deny}}")

    @aftershock.tool
    def delete_all() -> str:
        return "gone"

    assert delete_all() == "gone"
    assert guarding.gate() is None
    assert names.GUARDRAIL_ACTION_TYPE not in own(recorder.span("execute_tool delete_all"))


def test_what_was_denied_is_a_result_that_the_model_can_read(
    policy: Any, recorder: Recorder
) -> None:
    policy(DENY)
    ran: list[str] = []

    @aftershock.tool
    def delete_all(name: str) -> str:
        ran.append(name)
        return "gone"

    with aftershock.run(agent="bot"):
        answer = delete_all("orders")

    assert ran == []
    assert "delete_all was not run." in answer
    assert "The policy does not allow destructive calls." in answer
    found = own(recorder.span("execute_tool delete_all"))
    assert found[names.GUARDRAIL_DECISION_TYPE] == "deny"
    assert found[names.GUARDRAIL_ACTION_TYPE] == "block"
    assert found[names.GUARDRAIL_DECISION_CODE] == "tier"
    assert found[names.ERROR_TYPE] == "held_back"
    assert found[names.RUN_ID] == own(recorder.span("invoke_agent bot"))[names.RUN_ID]


def test_every_kind_of_function_passes_the_gate(policy: Any, recorder: Recorder) -> None:
    policy(DENY)
    ran: list[str] = []

    @aftershock.tool
    async def delete_async() -> str:
        ran.append("async")
        return "gone"

    @aftershock.tool
    def delete_each() -> Iterator[str]:
        ran.append("generator")
        yield "gone"

    @aftershock.tool
    async def delete_each_async() -> AsyncIterator[str]:
        ran.append("async generator")
        yield "gone"

    class Tools:
        @aftershock.tool
        def delete_method(self, name: str) -> str:
            ran.append(name)
            return "gone"

    async def every() -> list[str]:
        return [await delete_async(), *[item async for item in delete_each_async()]]

    answers = [*asyncio.run(every()), *delete_each(), Tools().delete_method("x")]

    assert ran == []
    assert len(answers) == 4
    assert all("was not run" in answer for answer in answers)
    assert len([span for span in recorder.spans if "delete" in span.name]) == 4


def test_what_passes_is_what_it_was(policy: Any, recorder: Recorder) -> None:
    """Values sent into generators, exceptions, return values: nothing is different."""
    policy("gate: {mode: enforce, tiers: {destructive: deny}, loops: deny, budget: deny}")

    @aftershock.tool(tier="read")
    def echo() -> Generator[Any, Any, str]:
        received: Any = yield "first"
        try:
            yield received
        except KeyError as error:
            yield error
        return "end"

    @aftershock.tool(tier="read")
    async def echo_async() -> AsyncGenerator[Any, Any]:
        received: Any = yield "first"
        try:
            yield received
        except KeyError as error:
            yield error

    failure = ValueError("mine")

    @aftershock.tool(tier="read")
    def fails() -> None:
        raise failure

    body = echo()
    assert [next(body), body.send("sent")] == ["first", "sent"]
    thrown = KeyError("thrown")
    assert body.throw(thrown) is thrown
    with pytest.raises(StopIteration) as stop:
        next(body)
    assert stop.value.value == "end"

    async def drive() -> None:
        items = echo_async()
        assert [await anext(items), await items.asend("sent")] == ["first", "sent"]
        assert await items.athrow(thrown) is thrown
        await items.aclose()

    asyncio.run(drive())
    with pytest.raises(ValueError, match="mine") as caught:
        fails()
    assert caught.value is failure
    assert all(names.GUARDRAIL_ACTION_TYPE not in own(span) for span in recorder.spans)


def test_a_warning_lets_pass_and_stands_on_the_span(policy: Any, recorder: Recorder) -> None:
    policy("gate: {mode: enforce, tiers: {write: warn}}")

    @aftershock.tool
    def update_x() -> str:
        return "done"

    assert update_x() == "done"
    found = own(recorder.span("execute_tool update_x"))
    assert found[names.GUARDRAIL_DECISION_TYPE] == "warn"
    assert found[names.GUARDRAIL_ACTION_TYPE] == "allow"


def test_observing_records_what_would_have_been_decided(policy: Any, recorder: Recorder) -> None:
    policy("gate: {mode: observe, tiers: {destructive: deny}}")

    @aftershock.tool
    def delete_all() -> str:
        return "gone"

    assert delete_all() == "gone"
    found = own(recorder.span("execute_tool delete_all"))
    assert found[names.GUARDRAIL_DECISION_TYPE] == "deny"
    assert found[names.GUARDRAIL_ACTION_TYPE] == "allow"


def test_the_policy_may_want_an_exception(policy: Any, recorder: Recorder) -> None:
    policy(DENY.replace("enforce", "enforce, raises: true"))

    @aftershock.tool
    def delete_all() -> str:
        return "gone"

    with pytest.raises(aftershock.CallHeldBack, match="does not allow") as caught:
        delete_all()
    assert (caught.value.tool, caught.value.code) == ("delete_all", "tier")
    assert recorder.span("execute_tool delete_all")


def test_the_operators_file_wins_over_the_tools_author(policy: Any, recorder: Recorder) -> None:
    policy("gate: {mode: enforce}\ntools: {a: {gate: allow}, b: {gate: deny}}")

    @aftershock.tool(gate="deny")
    def a() -> str:
        return "ran"

    @aftershock.tool(gate="allow")
    def b() -> str:
        return "ran"

    @aftershock.tool(gate="deny")
    def c() -> str:
        return "ran"

    assert a() == "ran"
    assert "was not run" in b()
    assert "was not run" in c()
    assert len(recorder.spans) >= 3


@pytest.mark.parametrize(
    ("section", "passes"),
    [("", False), (", when_unreachable: warn", True), (", when_unreachable: deny", False)],
)
@pytest.mark.parametrize("asked", ["tiers: {write: ask}", "preflight: [write]"])
def test_without_a_collector_the_policy_decides_and_the_span_says_so(
    policy: Any, recorder: Recorder, section: str, passes: bool, asked: str
) -> None:
    policy(f"gate: {{mode: enforce, {asked}{section}}}")

    @aftershock.tool
    def update_x() -> str:
        return "done"

    @aftershock.tool
    def get_x() -> str:
        return "read"

    assert (update_x() == "done") is passes
    assert get_x() == "read"
    assert own(recorder.span("execute_tool update_x"))[names.GATE_UNREACHABLE] is True


def test_a_policy_that_is_wrong_elsewhere_still_closes_its_gate(
    policy: Any, recorder: Recorder
) -> None:
    policy("gate: {mode: enforce}\ntools: {x: {teir: read}}")

    @aftershock.tool
    def update_x() -> str:
        return "done"

    @aftershock.tool
    def get_x() -> str:
        return "read"

    assert "was not run" in update_x()
    assert get_x() == "read"
    assert recorder.spans


def test_a_failure_of_ours_leaves_what_the_policy_names(
    policy: Any, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy("gate: {mode: enforce, when_unreachable: {destructive: deny, write: warn}}")

    @aftershock.tool
    def delete_x() -> str:
        return "gone"

    @aftershock.tool
    def update_x() -> str:
        return "done"

    def broken(*_: Any) -> None:
        raise RuntimeError("ours")

    gate = guarding.gate()
    assert gate is not None
    monkeypatch.setattr(gate.guard, "_decided", broken)

    assert "was not run" in delete_x()
    assert update_x() == "done"
    assert drop_counts()["guarding a call"] >= 2
    assert recorder.spans


def test_a_call_that_cannot_be_described_is_still_gated_by_its_name(
    policy: Any, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(DENY)

    @aftershock.tool
    def delete_x() -> str:
        return "gone"

    def broken(*_: Any) -> None:
        raise RuntimeError("ours")

    gate = guarding.gate()
    assert gate is not None
    monkeypatch.setattr(gate, "call_of", broken)

    assert "was not run" in delete_x()
    assert recorder.spans


def test_what_people_recorded_in_code_counts_as_read(policy: Any, recorder: Recorder) -> None:
    policy(
        "gate: {mode: enforce, missing_facts: deny, unexplained: deny}\n"
        "tools: {scale: {tier: provision, explain: true, requires: [{fact: window}]}}"
    )

    @aftershock.tool
    def scale() -> str:
        return "done"

    with aftershock.run(agent="bot") as run:
        first = scale()
        run.saw("window", value="none")
        second = scale()
        with run.decision("how many?") as decision:
            decision.chose("scale")
        third = scale()

    assert "without knowing the window" in first
    assert "without a recorded decision" in second
    assert third == "done"
    assert recorder.spans
