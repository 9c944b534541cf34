"""Guarded calls: what is around a call that passes the gate, and in place of one that does not.

Shared by functions under `@tool` and by every framework's tools; each of these only says how its
calls are described and how its model is answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aftershock.recorder import settings
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.guarding import PASSING, gate, is_nested, record_held_back
from aftershock.recorder.span_wrapping import Around, Instead, wrap

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from aftershock.gate.decide import Call
    from aftershock.guard.passage import Passage
    from aftershock.policy.policy import Policy
    from aftershock.recorder.process_gate import ProcessGate

# The call of a tool as its guard sees it, with the policy to judge it by.
Describe = Callable[[tuple[Any, ...], dict[str, Any]], "tuple[Call, Policy]"]


def unchanged(value: Any) -> Any:
    """The value itself."""
    return value


def with_text(result: Any, notice: str) -> Any:
    """A text with a notice at its end. None: the result is no text, or one that is parsed."""
    if not isinstance(result, str) or result.lstrip()[:1] in {"{", "["}:
        return None
    return f"{result}\n\n{notice}"


def never(_value: Any) -> bool:
    """False."""
    return False


def no_stream(_result: Any) -> None:
    """None: the result is whole."""


def only_stream(_result: Any, stream: Any) -> Any:
    """The stream, which is the result."""
    return stream


@dataclass(frozen=True, slots=True)
class Form:
    """How one framework hands results to its model."""

    refusal: Callable[[str], Any] = unchanged  # what stands for a result, from our text
    shown: Callable[[Any], Any] = unchanged  # what the model is shown of a result
    has_failed: Callable[[Any], bool] = never  # whether a result reports a failure
    is_pause: Callable[[BaseException], bool] = never  # raised to wait for somebody
    with_notice: Callable[[Any, str], Any] = (
        with_text  # a result with a notice; None: it can hold none
    )
    # The generator of a result that is still to come; then `shown` gets the list of its items.
    stream_in: Callable[[Any], Any] = no_stream
    with_stream: Callable[[Any, Any], Any] = only_stream  # the result with another generator


PLAIN = Form()


class Passing:
    """A call that passed the gate, while its own code runs. Its run remembers how it ended."""

    __slots__ = ("_began_ns", "_form", "_passage", "_process")

    def __init__(self, process: ProcessGate, passage: Passage, form: Form = PLAIN) -> None:
        self._process, self._passage, self._form = process, passage, form
        self._began_ns = time.time_ns()

    def enter(self) -> Passage | None:
        """Whatever begins now belongs to this call."""
        before = PASSING.get()
        PASSING.set(self._passage)
        return before

    def leave(self, before: Passage | None) -> None:
        """Setting instead of resetting works in whatever task a generator is closed."""
        del self
        PASSING.set(before)

    def returned(self, result: Any) -> None:
        """The call returned; raises nothing."""
        form = self._form
        try:
            shown, failed = form.shown(result), form.has_failed(result)
        except Exception:  # noqa: BLE001 (ours)
            record_failure("reading the result of a call")
            return
        self._process.returned(self._passage, self._began_ns, shown, failed=failed)

    def handed_on(self, result: Any) -> Any:
        """The result for the model, with what it should be told. Raises nothing."""
        try:
            passage = self._passage
            if not (passage.admission.reasons or passage.progress.notice):
                return result
            if self._form.with_notice(result, "") is None:
                return result
            notice = self._process.notices(passage)
            return self._form.with_notice(result, notice) if notice else result
        except Exception:  # noqa: BLE001 (ours: the result passes as it is)
            record_failure("telling a model of its budget")
            return result

    def raised(self, error: BaseException) -> None:
        """The call raised."""
        if not self._form.is_pause(error):
            self._process.raised(self._passage, self._began_ns, error)

    def abandoned(self, items: list[Any]) -> None:
        """A generator was closed early: it did what it did until then."""
        self.returned(items)


def admitted(
    process: ProcessGate, passage: Passage, form: Form = PLAIN, span: Span | None = None
) -> Around | Instead:
    """The step of a call that passes, or what its model reads. `span`: the call's, if it has one.

    Raises CallHeldBack where the policy wants that.
    """
    if passage.passes:
        return Passing(process, passage, form)
    record_held_back(passage, span)
    return Instead(form.refusal(process.answer_for(passage)))


def guarded(recorded: Callable[..., Any], tool: str, describe: Describe) -> Callable[..., Any]:
    """A recorded function behind the gate; sync, async, generator or async generator.

    A generator passes when its first item is asked for. `describe` gives a call and the policy to
    judge it by.
    """
    describe = never_failing(tool, describe)

    def opening(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Around | Instead | None:
        process = gate()
        if process is None or is_nested(tool):
            return None
        return admitted(process, process.enter(*describe(args, kwargs)))

    async def opening_async(
        args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Around | Instead | None:
        process = gate()
        if process is None or is_nested(tool):
            return None
        return admitted(process, await process.enter_async(*describe(args, kwargs)))

    return wrap(recorded, opening, opening_async)


def never_failing(tool: str, describe: Describe) -> Describe:
    """A description that, where it fails, is of a call whose arguments nobody knows.

    The gates of its name hold all the same, and an approval covers that one call only.
    """

    def described(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call, Policy]:
        try:
            return describe(args, kwargs)
        except Exception:  # noqa: BLE001 (ours)
            record_failure("describing a call to the guard")
            process = gate()
            assert process is not None, "only a gate asks for calls"
            return process.unknown_call(tool), settings.policy()

    return described
