"""Tools of frameworks that end in one method: recorded and behind the gate by a row of a table.

A framework whose tools need more than a row has a module of its own, `*_guard.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from importlib import import_module
from typing import Any, NamedTuple, cast

from aftershock.recorder.framework_calls import FrameworkCall, opened, passage_of, run, run_async
from aftershock.recorder.guarded_calls import PLAIN, Form, with_text
from aftershock.recorder.span_wrapping import Around, Instead, wrap_async_generator
from aftershock.recorder.wrapping import replace

Arguments = tuple[Any, ...]
Named = dict[str, Any]


class Called(NamedTuple):
    """A call as its method is given it."""

    tool: str
    arguments: Mapping[str, Any]
    form: Form = PLAIN


def by_name(args: Arguments, kwargs: Named) -> Called:
    """`tool.method(**arguments)` of a tool with a name."""
    tool, *_ = args
    return Called(str(tool.name), kwargs)


def of_input(args: Arguments, kwargs: Named) -> Called:
    """`tool.method(arguments)`: Anthropic's."""
    tool, *given = args
    return Called(str(tool.name), as_arguments(given[0] if given else kwargs.get("input")))


def of_function(args: Arguments, _kwargs: Named) -> Called:
    """`call(arguments, function)`: Gemini's SDK."""
    given, function, *_ = args
    return Called(str(function.__name__), as_arguments(given))


def of_tool(args: Arguments, kwargs: Named) -> Called:
    """`call(tool, args, …)` or `tool.method(args=…)`: those of Google's Agent Development Kit."""
    tool, *given = args
    return Called(str(tool.name), given[0] if given else kwargs["args"], Form(has_failed=has_error))


def of_metadata(args: Arguments, kwargs: Named) -> Called:
    """LlamaIndex's, whose tools have their name inside, and results of a class of their own."""
    tool = str(args[0].metadata.name)
    hidden: Any = getattr(args[0], "ctx_param_name", None)
    given = {key: value for key, value in kwargs.items() if key != hidden}
    return Called(
        tool,
        given,
        Form(partial(llama_output, tool, given), shown, failed, with_notice=llama_notice),
    )


def of_given(args: Arguments, _kwargs: Named) -> Called:
    """`tool.method(arguments, …)`: Agent Framework's, which may put its own context among them."""
    tool, given, *_ = args
    hidden: Any = getattr(tool, "_context_parameter_name", None)
    return Called(str(tool.name), {key: one for key, one in given.items() if key != hidden})


def of_inputs(args: Arguments, kwargs: Named) -> Called:
    """`tool(*arguments, **arguments)`, or all of them in one dict: smolagents'."""
    tool, *given = args
    named = {key: one for key, one in kwargs.items() if key != "sanitize_inputs_outputs"}
    if len(given) == 1 and not named and isinstance(given[0], dict):
        return Called(str(tool.name), as_arguments(given[0]))
    return Called(str(tool.name), dict(zip(tool.inputs, given, strict=False)) | named)


def of_model(args: Arguments, kwargs: Named) -> Called:
    """`tool.method(arguments, …)` with the arguments in a model of pydantic: AutoGen's."""
    tool, *given = args
    return Called(str(tool.name), dict(given[0] if given else kwargs["args"]))


def of_call(args: Arguments, _kwargs: Named) -> Called:
    """`call.method()` of a call that holds its tool, and takes its own result: Agno's."""
    call = args[0]
    form = Form(
        partial(agno_output, call),
        agno_shown,
        agno_failed,
        with_notice=agno_notice(call),
        stream_in=agno_stream,
        with_stream=partial(agno_streaming, call),
    )
    return Called(str(call.function.name), call.arguments or {}, form)


def of_tool_use(args: Arguments, kwargs: Named) -> Called:
    """`method(context, …)` of a context that holds what the model asked for: Strands'."""
    use = (args[0] if args else kwargs["ctx"]).tool_use
    form = Form(
        partial(strands_output, use["toolUseId"]), strands_shown, strands_failed, is_interrupt
    )
    return Called(str(use["name"]), as_arguments(use["input"]), form)


def as_arguments(given: Any) -> Mapping[str, Any]:
    """Arguments by name, where they have names."""
    return cast("Mapping[str, Any]", given) if isinstance(given, dict) else {"input": given}


def shown(result: Any) -> Any:
    """What the model is shown of a result."""
    return getattr(result, "content", result)


def failed(result: Any) -> bool:
    """Whether a result reports a failure."""
    return bool(getattr(result, "is_error", False))


def has_error(result: Any) -> bool:
    """Whether a result is an object with an error in it."""
    return isinstance(result, dict) and bool(cast("Named", result).get("error"))


def llama_output(tool: str, given: Mapping[str, Any], text: str) -> Any:
    """A text in place of a result, as LlamaIndex has results."""
    output: Any = import_module("llama_index.core.tools").ToolOutput
    return output(
        content=text, tool_name=tool, raw_input=dict(given), raw_output=text, is_error=True
    )


def llama_notice(result: Any, notice: str) -> Any:
    """A result with a notice at its end. None: it holds no plain text."""
    text = with_text(shown(result), notice)
    if text is None:
        return None
    return llama_output(result.tool_name, result.raw_input, text)


def agno_output(call: Any, text: str) -> Any:
    """A text in place of the result of a call, as a failure that its model reads."""
    call.error = text
    output: Any = import_module("agno.tools.function").FunctionExecutionResult
    return output(status="failure", error=text)


def agno_shown(outcome: Any) -> Any:
    """What Agno's model is shown of how a call went, or of the items that it yielded."""
    if isinstance(outcome, list):
        items = cast("list[Any]", outcome)
        return "".join(str(getattr(item, "content", item) or "") for item in items)
    return outcome.error if agno_failed(outcome) else outcome.result


def agno_failed(outcome: Any) -> bool:
    """Whether a call of Agno's went wrong."""
    return not isinstance(outcome, list) and outcome.status == "failure"


def agno_stream(outcome: Any) -> Any:
    """The generator that a call of Agno's has returned, such as the work of a team's member."""
    result = outcome.result
    return result if inspect.isgenerator(result) or inspect.isasyncgen(result) else None


def agno_streaming(call: Any, outcome: Any, stream: Any) -> Any:
    """How a call went, with another generator in its place; the call holds it as well."""
    call.result = outcome.result = stream
    return outcome


def agno_notice(call: Any) -> Callable[[Any, str], Any]:
    """What puts a notice at the end of a call's result, which the call holds as well."""

    def noticed(outcome: Any, notice: str) -> Any:
        text = with_text(outcome.result, notice)
        if text is None:
            return None
        if notice:
            call.result = outcome.result = text
        return outcome

    return noticed


def strands_output(call_id: str, text: str) -> Any:
    """A text in place of a result, as Strands has results."""
    event: Any = import_module("strands.types._events").ToolResultEvent
    return event({"toolUseId": call_id, "status": "error", "content": [{"text": text}]})


def strands_shown(items: list[Any]) -> str:
    """What the model is shown of the items of a call, of which the last is the result."""
    content: list[Any] = items[-1]["tool_result"]["content"]
    return "\n".join(str(part.get("text", part)) for part in content)


def strands_failed(items: list[Any]) -> bool:
    """Whether the last item reports a failure."""
    return items[-1]["tool_result"]["status"] == "error"


def is_interrupt(error: BaseException) -> bool:
    """Whether a tool of Strands only waits for somebody."""
    return type(error).__name__ == "InterruptException"


# Module → its functions or methods that call a tool, and how each is described.
METHODS: dict[str, tuple[tuple[str, Callable[[Arguments, Named], Called]], ...]] = {
    "agno.tools.function": (("FunctionCall.execute", of_call), ("FunctionCall.aexecute", of_call)),
    "agent_framework._tools": (("FunctionTool._invoke_function", of_given),),
    "anthropic.lib.tools._beta_functions": (
        ("BetaFunctionTool.call", of_input),
        ("BetaAsyncFunctionTool.call", of_input),
    ),
    "autogen_core.tools._function_tool": (("FunctionTool.run", of_model),),
    "crewai.tools.base_tool": (
        ("BaseTool.run", by_name),
        ("BaseTool.arun", by_name),
        ("Tool.run", by_name),
        ("Tool.arun", by_name),
    ),
    "dspy.adapters.types.tool": (("Tool.__call__", by_name), ("Tool.acall", by_name)),
    "google.genai._extra_utils": (
        ("invoke_function_from_dict_args", of_function),
        ("invoke_function_from_dict_args_async", of_function),
    ),
    "google.adk.flows.llm_flows.tools._caller": (("_call_tool_async", of_tool),),
    "google.adk.flows.llm_flows.tools._thread_pool": (("_call_tool_in_thread_pool", of_tool),),
    "google.adk.tools.function_tool": (("FunctionTool.run_async", of_tool),),
    "haystack.tools.tool": (("Tool.invoke", by_name), ("Tool.invoke_async", by_name)),
    "llama_index.core.tools.function_tool": (
        ("FunctionTool.call", of_metadata),
        ("FunctionTool.acall", of_metadata),
    ),
    "smolagents.tools": (("Tool.__call__", of_inputs),),
    "strands.tools.executors._executor": (("_run_tool", of_tool_use),),
}


def wrap_functions(module: str) -> None:
    """Wrap the methods of a module that was imported. Once."""
    for path, describe in METHODS.get(module, ()):
        replace(module, path, partial(guarded, describe=describe))


def guarded(method: Any, describe: Callable[[Arguments, Named], Called]) -> Any:
    """A function that calls a tool, recorded and behind the gate."""

    def described(args: Arguments, kwargs: Named) -> FrameworkCall:
        try:
            tool, arguments, form = describe(args, kwargs)
        except Exception:  # noqa: BLE001 (ours: a version of another shape)
            return FrameworkCall("unknown", unknown)
        return FrameworkCall(tool, lambda: arguments, form)

    if inspect.isasyncgenfunction(method):
        return streamed(method, described)

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        return run(described(args, kwargs), partial(method, *args, **kwargs))

    @wraps(method)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        return await run_async(described(args, kwargs), partial(method, *args, **kwargs))

    return call_async if inspect.iscoroutinefunction(method) else call


def streamed(method: Any, described: Callable[[Arguments, Named], FrameworkCall]) -> Any:
    """The same for an async generator whose last item is the result."""

    async def recording(args: Arguments, kwargs: Named) -> Around | None:
        return opened(described(args, kwargs))

    async def passing(args: Arguments, kwargs: Named) -> Around | Instead | None:
        return await passage_of(described(args, kwargs))

    return wrap_async_generator(wrap_async_generator(method, recording), passing)


def unknown() -> Mapping[str, Any]:
    """Arguments that nobody knows."""
    raise LookupError("a tool's method of a shape that is not known")
