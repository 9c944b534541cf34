"""The `tool` decorator: what it says of calls, and that it changes nothing about them."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import get_current_span

import aftershock
from aftershock import attributes as names
from aftershock.recorder import settings, span_wrapping
from aftershock.recorder.drop_counters import drop_counts
from tests.instrumentation.conftest import Recorder


def attributes_of(recorder: Recorder, name: str) -> dict[str, Any]:
    """Attributes of the only span of a name."""
    return dict(recorder.span(name).attributes or {})


def deployment(namespace: str, name: str, **_: object) -> dict[str, str]:
    """What scaling touches."""
    return {"k8s.namespace.name": namespace, "k8s.deployment.name": name}


def other(**_: object) -> dict[str, str]:
    """A target that does not depend on the call."""
    return {"service.name": "other"}


def test_a_call_is_described_by_its_author(recorder: Recorder) -> None:
    @aftershock.tool(
        risk="destructive",
        target=deployment,
        provides=[("replicas", "{name}"), "capacity"],
        requires={"fact": "maintenance_window", "subject": "{namespace}", "max_age": "15m"},
        polls=True,
    )
    def scale_deployment(namespace: str, name: str, replicas: int = 1) -> str:
        return f"{name}: {replicas}"

    assert scale_deployment("prod", name="checkout", replicas=12) == "checkout: 12"

    own = attributes_of(recorder, "execute_tool scale_deployment")
    assert own[names.ACTION_TIER] == "destructive"
    assert own[names.ACTION_TARGETS] == ("k8s/prod/checkout",)
    assert own[names.FACTS] == ("replicas\tcheckout", "capacity\t*")
    assert own[names.CONTEXT_REQUIRED] == ("maintenance_window\tprod\t900.0",)
    assert own[names.POLLS] is True
    assert own[names.RESULT_OUTCOME] == "ok"


def test_equal_calls_have_equal_fingerprints_however_they_are_written(recorder: Recorder) -> None:
    @aftershock.tool
    def inspect(where: str, deep: bool = False) -> str:
        return "same"

    inspect("prod", True)
    inspect(deep=True, where="prod")

    prints = {str((s.attributes or {})[names.ARGUMENTS_DIGEST]) for s in recorder.spans}
    assert len(prints) == 1


def test_the_policy_file_wins_over_the_author(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "aftershock.yaml"
    file.write_text("tools:\n  drop_cache:\n    tier: read\n    targets: [{service.name: cache}]\n")
    monkeypatch.setenv("AFTERSHOCK_POLICY", str(file))
    settings.policy.cache_clear()

    @aftershock.tool(tier="destructive", target=other, provides="x")
    def drop_cache() -> None: ...

    drop_cache()
    settings.policy.cache_clear()

    own = attributes_of(recorder, "execute_tool drop_cache")
    assert own[names.ACTION_TIER] == "read"
    assert own[names.ACTION_TARGETS] == ("service/cache",)
    assert own[names.FACTS] == ("x\t*",)


def test_a_policy_that_cannot_be_read_is_one_warning_and_the_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "aftershock.yaml"
    file.write_text("tools:\n  x:\n    teir: read\n")
    monkeypatch.setenv("AFTERSHOCK_POLICY", str(file))
    settings.policy.cache_clear()

    assert settings.policy().tools == ()
    assert settings.policy().tools == ()
    settings.policy.cache_clear()
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "tools.x.teir" in caplog.text


def test_what_a_tool_raises_is_the_same_object_and_is_classified(recorder: Recorder) -> None:
    failure = KeyError("pod-7f9 of node 12")

    @aftershock.tool
    def get_pod() -> None:
        raise failure

    with pytest.raises(KeyError) as caught:
        get_pod()

    own = attributes_of(recorder, "execute_tool get_pod")
    assert caught.value is failure
    assert own[names.ERROR_TYPE] == "KeyError"
    assert own[names.RESULT_OUTCOME] == "failed"
    assert own[names.ERROR_CLASS].startswith("KeyError")
    assert "pod-7f9" not in own[names.ERROR_CLASS]


def test_a_failing_target_function_loses_only_the_targets(recorder: Recorder) -> None:
    @aftershock.tool(target=deployment)
    def restart(service: str) -> str:
        return service

    assert restart("checkout") == "checkout"

    own = attributes_of(recorder, "execute_tool restart")
    assert names.ACTION_TARGETS not in own
    assert own[names.ARGUMENTS_DIGEST]
    assert drop_counts()["the target function of a tool"] >= 1


def test_a_mistake_in_the_decorator_is_told_when_it_is_written() -> None:
    with pytest.raises(ValueError, match="tier"):
        aftershock.tool(risk="dangerous")(lambda: None)
    with pytest.raises(ValueError, match="max_age"):
        aftershock.tool(requires={"fact": "x", "max_age": "soon"})(lambda: None)


def test_objects_in_arguments_are_never_turned_into_text(recorder: Recorder) -> None:
    class Huge:
        def __repr__(self) -> str:
            raise AssertionError("somebody looked")

    class Tools:
        @aftershock.tool
        def use(self, connection: Huge, name: str) -> str:
            return name

    assert Tools().use(Huge(), name="x") == "x"
    assert attributes_of(recorder, "execute_tool use")[names.ARGUMENTS_SIZE] < 60


def test_a_generator_is_one_call_from_its_first_item_to_its_last(recorder: Recorder) -> None:
    @aftershock.tool
    def count(n: int) -> Generator[int, str, str]:
        answers: list[str] = []
        for one in range(n):
            assert get_current_span().is_recording()
            answers.append((yield one))
        return ",".join(map(str, answers))

    assert inspect.isgeneratorfunction(count)
    body = count(2)
    assert recorder.spans == []
    assert next(body) == 0
    assert not get_current_span().get_span_context().is_valid
    assert body.send("a") == 1
    with pytest.raises(StopIteration) as stop:
        body.send("b")

    assert stop.value.value == "a,b"
    assert attributes_of(recorder, "execute_tool count")[names.RESULT_OUTCOME] == "ok"


def test_an_exception_thrown_into_a_generator_reaches_its_body(recorder: Recorder) -> None:
    @aftershock.tool
    def patient() -> Iterator[str]:
        try:
            yield "first"
        except ValueError as error:
            yield f"caught {error}"

    body = patient()
    next(body)

    assert body.throw(ValueError("x")) == "caught x"  # type: ignore[attr-defined]
    assert list(body) == []
    assert len(recorder.spans) == 1


def test_a_generator_that_is_abandoned_ends_its_span_and_its_body(recorder: Recorder) -> None:
    closed: list[bool] = []

    @aftershock.tool
    def stream() -> Iterator[int]:
        try:
            yield from range(1_000)
        finally:
            closed.append(get_current_span().is_recording())

    for item in stream():
        if item == 3:
            break
    gc.collect()

    own = attributes_of(recorder, "execute_tool stream")
    assert closed == [True]
    assert own[names.RESULT_OUTCOME] == "truncated"
    assert names.ERROR_TYPE not in own


def test_an_async_generator_may_be_closed_in_another_task(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    @aftershock.tool
    async def stream() -> AsyncGenerator[int, None]:
        for one in range(10):
            await asyncio.sleep(0)
            yield one

    async def read_some(body: AsyncIterator[int]) -> int:
        return await anext(body)

    async def main() -> None:
        body = stream()
        assert await asyncio.create_task(read_some(body)) == 0
        assert await asyncio.create_task(read_some(body)) == 1
        await asyncio.create_task(body.aclose())  # type: ignore[arg-type]

    asyncio.run(main())

    assert attributes_of(recorder, "execute_tool stream")[names.RESULT_OUTCOME] == "truncated"
    assert "detach" not in caplog.text


def test_an_async_generator_whose_loop_is_gone_still_ends_its_span(recorder: Recorder) -> None:
    @aftershock.tool
    async def stream() -> AsyncGenerator[int, None]:
        yield 1
        yield 2

    body: Any = stream()
    with pytest.raises(StopIteration):
        body.__anext__().send(None)
    del body
    gc.collect()
    span_wrapping.close_abandoned()

    assert recorder.span("execute_tool stream").end_time


def test_a_cancelled_coroutine_ends_its_span_and_stays_cancelled(recorder: Recorder) -> None:
    @aftershock.tool
    async def wait_long() -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(wait_long())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    own = attributes_of(recorder, "execute_tool wait_long")
    assert own[names.ERROR_TYPE] == "asyncio.exceptions.CancelledError"


def test_wrapping_keeps_the_functions_name_and_signature() -> None:
    @aftershock.tool
    def scale(service: str, replicas: int = 1) -> str:
        """Scale a service."""
        return service * replicas

    assert (scale.__name__, scale.__doc__) == ("scale", "Scale a service.")
    assert list(inspect.signature(scale).parameters) == ["service", "replicas"]
