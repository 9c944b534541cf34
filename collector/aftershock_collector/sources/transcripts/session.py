"""One session as OTLP spans: each call with its answer, each inference with tokens and cost.

The spans are GenAI's, under the ids that the agent's live telemetry has, so that a session that was
also received live is no second run.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple, cast

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, TracesData
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WrittenSpan

from aftershock.attributes import (
    ACTION_TARGETS,
    ACTION_TIER,
    AGENT_NAME,
    CONVERSATION_COMPACTED,
    CONVERSATION_ID,
    ERROR_TYPE,
    GUARDRAIL_ACTION_TYPE,
    INPUT_TOKENS,
    OPERATION,
    OUTPUT_TOKENS,
    REQUEST_MODEL,
    RUN_ID,
    SERVICE_NAME,
    TOOL_ARGUMENTS,
    TOOL_CALL_ID,
    TOOL_NAME,
    TOOL_RESULT,
)
from aftershock_collector.control.actions import parse
from aftershock_collector.otlp.values import key_values
from aftershock_collector.reading.actions import BLOCKED
from aftershock_collector.reading.dialects import PERSON
from aftershock_collector.reading.dialects.genai import COST
from aftershock_collector.reading.dialects.neutral import HARNESS, KIND, NAME, TEXT
from aftershock_collector.reading.steps import id_of_record
from aftershock_collector.sources.transcripts import Usage

SCOPE = "aftershock.transcripts"
CALLED_SUCCESS = "transcript.called_success"  # the agent's own word for a failed call
TEXT_CHARS_MAX = 16_384  # of one value, as redaction keeps
OPEN_CALLS_MAX = 4_096  # without an answer so far; agents have tens
SESSION_BYTES_MAX = 128 << 20  # of one session's spans: ten times the longest recorded days
SPANS_PER_BODY = 1_000

TOO_LARGE = f"steps of a session over {SESSION_BYTES_MAX >> 20} MiB"
NO_TIME = "step without a time"
NO_CALL = "answer to a call that is not in the file"

Price = Callable[[str, Usage], float | None]


class Answer(NamedTuple):
    """How a call ended."""

    text: str
    exit_code: int | None = None
    called_success: bool | None = None  # by the agent; None: it does not say
    denied: bool = False
    error: str | None = None  # its type, where the agent calls it a failure


@dataclass(slots=True)
class OpenCall:
    """A call whose answer has not come yet."""

    tool: str
    arguments: dict[str, Any]
    began_at_ns: int
    agent: str


@dataclass(slots=True)
class OpenInference:
    """An inference of which further lines may come."""

    key: str
    model: str
    usage: Usage
    began_at_ns: int
    ended_at_ns: int
    agent: str
    compacted: bool
    cost_usd: float | None = None


@dataclass(slots=True)
class Session:
    """What the lines of one session's files say so far."""

    service: str  # the agent, as its telemetry names itself
    price: Price
    id: str = ""
    agent: str = ""  # who acts in the lines that come now
    model: str = ""
    folder: str = ""  # where it worked
    file_agent: str = ""  # the sub-agent whose file is read; "": the session's own
    asked_ns: int = 0  # when the model was last given something
    answered_ns: int = 0  # when it last gave something; zero: not since then
    seen: set[str] = field(default_factory=set[str])  # ids of lines, which resumed sessions repeat
    reported_cost_usd: float | None = None  # of the whole session, by the agent
    rejected: Counter[str] = field(default_factory=Counter[str])
    _calls: OrderedDict[str, OpenCall] = field(default_factory=OrderedDict[str, OpenCall])
    _inference: OpenInference | None = None
    _inferences: list[OpenInference] = field(default_factory=list[OpenInference])
    _spans: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    _size: int = 0
    _last_ns: int = 0
    _compacted: bool = False

    def begin_file(self, agent: str = "") -> None:
        """From here on lines are of another file: of a sub-agent, or of the session itself."""
        self._end_inference()
        self.file_agent, self._last_ns, self.asked_ns, self.answered_ns = agent, 0, 0, 0

    def message(self, time_ns: int | None, text: str, *, automatic: bool = False) -> None:
        """Something that a person, or a harness in a person's place, wrote."""
        if time_ns is not None and text.strip():
            kept = text[:TEXT_CHARS_MAX]
            own = {KIND: "message", NAME: HARNESS if automatic else PERSON, TEXT: kept}
            self._add(f"message/{time_ns}/{len(self._spans)}", time_ns, time_ns, own)
        self._at(time_ns)

    def inference(  # noqa: PLR0917
        self,
        time_ns: int | None,
        key: str,
        model: str,
        usage: Usage,
        lasted_ns: int | None = None,
        cost_usd: float | None = None,
    ) -> None:
        """A model's answer. Lines of the same key are one: the last of them counts it.

        Args:
            time_ns: when it was written.
            key: what lines of the same answer have in common.
            model: as the agent names it.
            usage: its tokens; none where the line does not say.
            lasted_ns: how long it took; None: since the line before.
            cost_usd: by the agent's own account; None: it does not say.
        """
        if time_ns is None:
            self.rejected[NO_TIME] += 1
            return
        known = self._inference
        if known is None or known.key != key:
            self._end_inference()
            before = self._last_ns or time_ns
            began = time_ns - lasted_ns if lasted_ns is not None else before
            known = OpenInference(key, model, usage, began, time_ns, self.agent, self._compacted)
            self._inference, self._compacted = known, False
            known.cost_usd = cost_usd
        if usage != Usage():
            known.usage = usage
        known.ended_at_ns = max(known.ended_at_ns, time_ns)
        self._at(time_ns)

    def compacted(self, time_ns: int | None) -> None:
        """The conversation was replaced by a summary: the next inference is the first to see it."""
        self._compacted = True
        self._at(time_ns)

    def call(self, time_ns: int | None, call_id: str, tool: str, arguments: Any) -> None:
        """A call that the model asks for."""
        if time_ns is None or not tool:
            self.rejected[NO_TIME] += 1
            return
        is_named = isinstance(arguments, dict)
        named = cast("dict[str, Any]", arguments) if is_named else {"input": arguments}
        self._calls[call_id] = OpenCall(tool, named, time_ns, self.agent)
        if len(self._calls) > OPEN_CALLS_MAX:
            self._write_call(*self._calls.popitem(last=False), None, time_ns)

    def answer(
        self, time_ns: int | None, call_id: str, answer: Answer, began_at_ns: int | None = None
    ) -> None:
        """The answer to a call."""
        call = self._calls.pop(call_id, None)
        if call is None:
            self.rejected[NO_CALL] += 1
        elif time_ns is None:
            self.rejected[NO_TIME] += 1
        else:
            if began_at_ns is not None:
                call.began_at_ns = began_at_ns
            self._write_call(call_id, call, answer, time_ns)
        self._at(time_ns)

    def bodies(self) -> Iterator[bytes]:
        """The whole session as OTLP requests, in the order of time; the session is over then."""
        self._end_inference()
        while self._calls:
            call_id, call = self._calls.popitem(last=False)
            self._write_call(call_id, call, None, max(call.began_at_ns, self._last_ns))
        self._share_cost()
        for one in self._inferences:
            self._write_inference(one)
        self._inferences.clear()
        self._spans.sort(key=lambda pair: pair[0])
        for start in range(0, len(self._spans), SPANS_PER_BODY):
            group = ResourceSpans(scope_spans=[ScopeSpans()])
            group.scope_spans[0].scope.name = SCOPE
            group.resource.attributes.extend(key_values({SERVICE_NAME: self.service}))
            for _, body in self._spans[start : start + SPANS_PER_BODY]:
                group.scope_spans[0].spans.append(WrittenSpan.FromString(body))
            yield TracesData(resource_spans=[group]).SerializeToString()
        self._spans.clear()

    # --- Inside ------------------------------------------------------------------------------

    def _at(self, time_ns: int | None) -> None:
        self._last_ns = max(self._last_ns, time_ns or 0)

    def _end_inference(self) -> None:
        one, self._inference = self._inference, None
        if one is not None:
            if one.cost_usd is None:
                one.cost_usd = self.price(one.model, one.usage)
            self._inferences.append(one)

    def _share_cost(self) -> None:
        """Where a price is not known, the agent's own total is divided by what was used."""
        if self.reported_cost_usd is None or all(
            one.cost_usd is not None for one in self._inferences
        ):
            return
        weights = [weight_of(one.usage) for one in self._inferences]
        whole = sum(weights) or 1.0
        for one, weight in zip(self._inferences, weights, strict=True):
            one.cost_usd = self.reported_cost_usd * weight / whole

    def _write_inference(self, one: OpenInference) -> None:
        own: dict[str, Any] = {
            OPERATION: "chat",
            REQUEST_MODEL: one.model,
            AGENT_NAME: one.agent,
            INPUT_TOKENS: one.usage.sent,
            OUTPUT_TOKENS: one.usage.returned,
        }
        if one.usage == Usage():
            del own[INPUT_TOKENS], own[OUTPUT_TOKENS]
        if one.cost_usd is not None:
            own[COST[0]] = one.cost_usd
        if one.compacted:
            own[CONVERSATION_COMPACTED] = True
        self._add(f"inference/{one.key}", one.began_at_ns, one.ended_at_ns, own)

    def _write_call(
        self, call_id: str, call: OpenCall, answer: Answer | None, time_ns: int
    ) -> None:
        own: dict[str, Any] = {
            OPERATION: "execute_tool",
            TOOL_NAME: call.tool,
            TOOL_CALL_ID: call_id,
            AGENT_NAME: call.agent,
            TOOL_ARGUMENTS: text_of_arguments(call.arguments),
        }
        parsed = parse(call.tool, call.arguments)
        if parsed is not None:
            own[ACTION_TIER] = parsed[0].value
            own[ACTION_TARGETS] = list(parsed[1])
        if answer is not None:
            failed = answer.called_success is False or bool(answer.exit_code)
            own[TOOL_RESULT] = answer.text[:TEXT_CHARS_MAX]
            if answer.denied:
                own |= {GUARDRAIL_ACTION_TYPE: BLOCKED, ERROR_TYPE: "denied"}
            elif failed:
                code = f"exit_code_{answer.exit_code}" if answer.exit_code else "tool_error"
                own[ERROR_TYPE] = answer.error or code
            if answer.called_success:
                own[CALLED_SUCCESS] = True
        self._add(f"call/{call_id}", call.began_at_ns, max(call.began_at_ns, time_ns), own)

    def _add(self, identity: str, began: int, ended: int, own: dict[str, Any]) -> None:
        own[RUN_ID] = own[CONVERSATION_ID] = self.id
        span = WrittenSpan(
            trace_id=blake2b(self.id.encode("utf-8", "replace"), digest_size=16).digest(),
            span_id=bytes.fromhex(id_of_record(self.id, identity)),
            name=f"{own.get(OPERATION, own.get(KIND))} {own.get(TOOL_NAME, '')}".strip(),
            kind=WrittenSpan.SPAN_KIND_INTERNAL,
            start_time_unix_nano=began,
            end_time_unix_nano=max(began, ended),
            attributes=key_values(own),
        )
        body = span.SerializeToString()
        if self._size + len(body) > SESSION_BYTES_MAX:
            self.rejected[TOO_LARGE] += 1
            return
        self._size += len(body)
        self._spans.append((ended, body))


def weight_of(usage: Usage) -> float:
    """What tokens cost in relation to each other: as in most price lists."""
    return usage.fresh + 0.1 * usage.cached + 1.25 * usage.written + 5.0 * usage.returned


def text_of_arguments(arguments: dict[str, Any]) -> str:
    """Arguments as JSON; of long values the beginning, so that it stays JSON."""
    kept = {
        name: value[:TEXT_CHARS_MAX] if isinstance(value, str) else value
        for name, value in arguments.items()
    }
    text = json.dumps(kept, ensure_ascii=False, default=str)
    if len(text) <= 2 * TEXT_CHARS_MAX:
        return text
    return json.dumps({name: str(value)[:1_024] for name, value in kept.items()})
