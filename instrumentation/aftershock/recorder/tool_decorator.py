"""The `tool` decorator: calls of any function become tool calls that can be recorded and judged."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import trace
from opentelemetry.trace import Link, SpanKind, get_current_span

from aftershock import attributes as names
from aftershock.entity import entity_key
from aftershock.model import Outcome
from aftershock.policy.policy import Policy, ToolRule, read_tool, rule_of
from aftershock.recorder import implicit_run, settings, tool_calls
from aftershock.recorder.activation import activate
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.guarded_calls import guarded
from aftershock.recorder.guarding import gate, passing_attributes
from aftershock.recorder.pending_spans import EXPECTED, PENDING, ExpectedCall
from aftershock.recorder.span_wrapping import Step, never_raising, wrap

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from aftershock.gate.decide import Call

Entity = Mapping[str, str]
Target = Entity | Iterable[Entity] | Callable[..., Entity | Iterable[Entity]]
FactSpec = str | tuple[str, str] | Mapping[str, Any]
Facts = FactSpec | Iterable[FactSpec]

CONTENT_CHARS_MAX = 16_384  # of arguments or a result, where the user wants content exported

tracer = trace.get_tracer("aftershock")


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    risk: str | None = None,
    tier: str | None = None,
    target: Target | None = None,
    provides: Facts = (),
    requires: Facts = (),
    polls: bool | None = None,
    gate: str | None = None,
    dry_run: Callable[..., Any] | None = None,
) -> Any:
    """Make calls of a function visible as tool calls.

    Args:
        function: The function; sync, async, generator or async generator. `@tool` and
            `@tool(…)` both work.
        name: What the tool is called; default: the function's name.
        risk: read, write, destructive, provision or decommission. Default: derived from the name.
        tier: Another word for `risk`.
        target: What a call touches, as resource attributes such as `{"service.name": "checkout"}`;
            several of them; or a function of the call's arguments that returns them.
        provides: Facts that the result provides: a kind, `(kind, subject)`, or a mapping as in
            aftershock.yaml; subjects may use `{argument}` placeholders.
        requires: Facts that should be known before a call, in the same forms.
        polls: True where repeating a call is legitimate.
        gate: ask: an approval must come before a call (see `aftershock.approved`); deny: no call
            is wanted; allow, warn: none is needed. Default: no gate.
        dry_run: A function of the same arguments, sync or async, that has no effect and returns
            what a call would change, as text: whoever is asked for an approval is shown it.

    A rule for the same tool in aftershock.yaml wins. Raises ValueError for an unknown tier or gate,
    or a malformed fact.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        title = name or function.__name__
        declared: dict[str, Any] = {"tier": risk or tier, "polls": polls, "gate": gate}
        if dry_run is not None:
            declared["dry_run"] = True
        author = author_rule(title, declared, target=target, provides=provides, requires=requires)
        dynamic = target if callable(target) else None
        made = AuthoredTool(title, author, dynamic, Shape(function), dry_run)
        recorded = wrap(function, never_raising(made.open))
        return guarded(recorded, title, made.call)

    return decorate if function is None else decorate(function)


class AuthoredTool:
    """A decorated function: how its calls are described to the recorder and to the guard."""

    def __init__(
        self,
        title: str,
        author: ToolRule,
        dynamic: Callable[..., Entity | Iterable[Entity]] | None,
        shape: Shape,
        dry_run: Callable[..., Any] | None = None,
    ) -> None:
        self.title = title
        self.dry_run = dry_run
        self.author = author
        self.dynamic = dynamic
        self.shape = shape
        self._known: tuple[Policy, Policy] | None = None  # the file's, and with the author's rule

    def policy(self) -> Policy:
        """The policy of this process with what the author declared; the file wins."""
        rules = settings.policy()
        if self._known is None or self._known[0] is not rules:
            self._known = rules, replace(rules, tools=(self.author, *rules.tools))
        return self._known[1]

    def targets(self, named: dict[str, Any]) -> tool_calls.Attributes:
        """Targets by the author's own function, unless the file names some."""
        if self.dynamic is None or rule_of(settings.policy(), self.title).targets is not None:
            return {}
        return targets_by(self.dynamic, named)

    def open(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
        """Begin the span of a call."""
        activate()
        context = implicit_run.context_for_step()
        if context is None and not get_current_span().is_recording():
            return None
        named = self.shape.named(args, kwargs)
        arguments = {key: tool_calls.plain(value) for key, value in named.items()}
        described = self.title, arguments, self.policy(), self.targets(named)
        call = ExpectedCall(self.title, partial(tool_calls.describe_call, *described))
        return open_tool(call, arguments, context)

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call, Policy]:
        """A call as the guard sees it."""
        activate()
        process = gate()
        assert process is not None, "only a gate asks for calls"
        named = self.shape.named(args, kwargs)
        targets: Any = self.targets(named).get(names.ACTION_TARGETS, ())
        call = process.call_of(self.title, named, targets)
        if self.dry_run is not None:
            call = replace(call, dry_run=partial(self.dry_run, **named))
        return call, self.policy()


def author_rule(
    title: str, declared: dict[str, Any], *, target: Target | None, provides: Facts, requires: Facts
) -> ToolRule:
    """A tool's rule as its author declared it, read by the reader of the policy file."""
    body = dict(declared)
    if target is not None and not callable(target):
        body["targets"] = [dict(one) for one in several(target)]
    for key, facts in (("provides", provides), ("requires", requires)):
        if listed := [fact_body(one) for one in as_facts(facts)]:
            body[key] = listed
    return read_tool(title, {k: v for k, v in body.items() if v is not None}, ("tools", title))


def as_facts(facts: Facts) -> list[FactSpec]:
    """One fact or several, as a list. A tuple of two texts is one fact: kind and subject."""
    if isinstance(facts, str | Mapping):
        return [cast("FactSpec", facts)]
    listed = list(cast("Iterable[FactSpec]", facts))
    pair = isinstance(facts, tuple) and len(listed) == 2 and all(isinstance(x, str) for x in listed)
    return [cast("FactSpec", facts)] if pair else listed


def fact_body(fact: FactSpec) -> dict[str, Any]:
    """A fact in the form of the policy file."""
    if isinstance(fact, str):
        return {"fact": fact}
    if isinstance(fact, tuple):
        return {"fact": fact[0], "subject": fact[1]}
    return dict(fact)


def several(target: Entity | Iterable[Entity]) -> list[Entity]:
    """One entity or several, as a list."""
    if isinstance(target, Mapping):
        return [cast("Entity", target)]
    return list(target)


def keys_of(target: Entity | Iterable[Entity]) -> tuple[str, ...]:
    """Entity keys of what a target function returned."""
    keys = (entity_key({k: str(v) for k, v in one.items()}) for one in several(target))
    return tuple(key for key in keys if key is not None)


def targets_by(
    dynamic: Callable[..., Entity | Iterable[Entity]], named: dict[str, Any]
) -> tool_calls.Attributes:
    """Targets of a call by the author's own function; none, where it fails."""
    try:
        return {names.ACTION_TARGETS: keys_of(dynamic(**named))}
    except Exception:  # noqa: BLE001 (the author's, but only the targets are lost)
        record_failure("the target function of a tool")
        return {}


class Shape:
    """Names of a function's arguments, without binding its signature at each call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):  # a builtin without a signature
            parameters = []
        positional = (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        self.names = [one.name for one in parameters if one.kind in positional]
        self.bound = self.names[:1] in (["self"], ["cls"])

    def named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments by name; the instance that a method is bound to left out."""
        named = dict(zip(self.names, args, strict=False))
        if self.bound:
            named.pop(self.names[0], None)
        if len(args) > len(self.names):
            named["args"] = args[len(self.names) :]
        named.update(kwargs)
        return named


class ToolStep(Step):
    """A tool call's span, which describes the result."""

    __slots__ = ()

    def describe(self, result: Any) -> None:
        """Fingerprint and outcome of the result."""
        tool_calls.set_result(self.span, result)
        if settings.captures_content():
            self.span.set_attribute(names.TOOL_RESULT, as_text(tool_calls.plain(result)))

    def describe_abandoned(self, items: list[Any]) -> None:
        """What was yielded, marked as cut short."""
        self.describe(items)
        cut: tool_calls.Attributes = {names.RESULT_OUTCOME: str(Outcome.TRUNCATED)}
        PENDING.defer(self.span, lambda: cut)

    def describe_error(self, error: BaseException) -> None:
        """Class of the error besides its type."""
        super().describe_error(error)
        tool_calls.set_error(self.span, error)


def open_tool(
    call: ExpectedCall,
    arguments: Mapping[str, Any],
    context: Context | None,
    *,
    more: tool_calls.Attributes | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    links: Sequence[Link] = (),
) -> Step | None:
    """Begin a tool call's span; `more` attributes are those of its transport."""
    found: tool_calls.Attributes = {names.OPERATION: "execute_tool", names.TOOL_NAME: call.tool}
    found |= more or {}
    if settings.captures_content():
        found[names.TOOL_ARGUMENTS] = as_text(arguments)
    found |= passing_attributes(call.tool)
    token = EXPECTED.set(call)
    try:
        span = tracer.start_span(
            f"execute_tool {call.tool}", context, kind, attributes=found, links=links
        )
    finally:
        EXPECTED.reset(token)
    if not span.is_recording():
        return None
    if call.span is None:  # a provider without our tracking
        PENDING.defer(span, call.describe)
    return ToolStep(span, context)


def as_text(value: Any) -> str:
    """A value as text, for export where content capture is on."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text[:CONTENT_CHARS_MAX]
