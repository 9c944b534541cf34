"""The scripted model server speaks to the real OpenAI SDK."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI

from aftershock_collector.demo.model_server import (
    ModelServer,
    Script,
    ToolCall,
    by_turn,
    call,
    call_all,
    fail,
    text_reply,
)

TOOL: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}
USER: Any = [{"role": "user", "content": "Weather in Paris?"}]


def client_of(server: ModelServer, retries: int = 0) -> OpenAI:
    return OpenAI(base_url=server.url, api_key="none", max_retries=retries)


def ask(server: ModelServer, messages: Any = USER, **options: Any) -> Any:
    create: Any = client_of(server).chat.completions.create
    return create(model="gpt-demo", messages=messages, tools=[TOOL], **options)


@pytest.fixture
def weather() -> Iterator[ModelServer]:
    with ModelServer(
        [call("get_weather", city="Paris"), text_reply("It is sunny in Paris.")]
    ) as server:
        yield server


def test_a_list_is_played_in_order_and_then_refuses(weather: ModelServer):
    first = ask(weather).choices[0]
    second = ask(weather).choices[0]

    assert first.finish_reason == "tool_calls"
    assert first.message.tool_calls[0].function.name == "get_weather"
    assert json.loads(first.message.tool_calls[0].function.arguments) == {"city": "Paris"}
    assert second.message.content == "It is sunny in Paris."
    with pytest.raises(openai.BadRequestError, match="at its end"):
        ask(weather)
    assert len(weather.requests) == 3


def test_usage_grows_with_the_conversation(weather: ModelServer):
    short = ask(weather).usage
    long = ask(weather, [*USER, {"role": "user", "content": "word " * 500}]).usage

    assert short.total_tokens == short.prompt_tokens + short.completion_tokens
    assert long.prompt_tokens > short.prompt_tokens + 500


def test_a_function_chooses_from_the_messages_so_far():
    def choose(messages: list[dict[str, Any]]):
        return text_reply(f"{len(messages)} messages, last by {messages[-1]['role']}")

    with ModelServer(choose) as server:
        assert ask(server).choices[0].message.content == "1 messages, last by user"


def test_each_conversation_plays_a_script_by_turn_from_its_start():
    script = by_turn(call("get_weather", city="Paris"), text_reply("done"))

    def converse(server: ModelServer) -> str:
        answer = ask(server).choices[0].message
        messages = [*USER, answer, {"role": "tool", "tool_call_id": "x", "content": "sunny"}]
        return ask(server, messages).choices[0].message.content

    with ModelServer(script) as server, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(converse, [server] * 8)) == ["done"] * 8


def test_parallel_tool_calls_have_ids_of_their_own():
    both = call_all(ToolCall("get_weather", {"city": "Paris"}), ToolCall("get_time", "{broken"))
    with ModelServer([both]) as server:
        calls = ask(server).choices[0].message.tool_calls

    assert [c.function.name for c in calls] == ["get_weather", "get_time"]
    assert calls[1].function.arguments == "{broken"
    assert len({c.id for c in calls}) == 2


def test_a_streamed_completion_adds_up_to_the_whole():
    reply = call_all(ToolCall("get_weather", {"city": "Paris"}), ToolCall("get_time", {"zone": 1}))
    with ModelServer([text_reply("It is sunny in Paris today."), reply]) as server:
        text = list(ask(server, stream=True, stream_options={"include_usage": True}))
        tools: list[Any] = list(ask(server, stream=True))

    spoken = [c.choices[0].delta.content or "" for c in text if c.choices]
    assert "".join(spoken) == "It is sunny in Paris today."
    assert len([s for s in spoken if s]) > 1
    assert text[-1].usage.total_tokens > 0
    arguments = ["", ""]
    for delta in (chunk.choices[0].delta for chunk in tools):
        parts: list[Any] = delta.tool_calls or []
        for part in parts:
            arguments[part.index] += part.function.arguments
    assert [json.loads(a) for a in arguments] == [{"city": "Paris"}, {"zone": 1}]
    assert tools[-1].choices[0].finish_reason == "tool_calls"


def test_an_abandoned_stream_does_not_hurt_the_server():
    with ModelServer(by_turn(text_reply("long " * 20_000))) as server:
        with ask(server, stream=True) as stream:
            next(iter(stream))
        assert ask(server).choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("status", "error"), [(429, openai.RateLimitError), (500, openai.InternalServerError)]
)
def test_errors_on_demand_reach_the_sdk_as_its_own(status: int, error: type[Exception]):
    with ModelServer([fail(status, "busy")]) as server, pytest.raises(error, match="busy"):
        ask(server)


def test_a_retry_gets_the_next_reply():
    with ModelServer([fail(429), fail(500), text_reply("third time lucky")]) as server:
        answer = client_of(server, retries=2).chat.completions.create(
            model="gpt-demo", messages=USER
        )

    assert answer.choices[0].message.content == "third time lucky"


def test_a_script_that_fails_says_so():
    with (
        ModelServer(lambda messages: messages[99]) as server,  # type: ignore[arg-type, return-value]
        pytest.raises(openai.InternalServerError, match="IndexError"),
    ):
        ask(server)


def test_the_responses_api_calls_tools_and_answers():
    script: Script = by_turn(call("get_weather", city="Paris"), text_reply("Sunny."))
    with ModelServer(script) as server:
        client = client_of(server)
        first: Any = client.responses.create(model="gpt-demo", input="Weather?")
        asked = first.output[0]
        history: Any = [
            {"role": "user", "content": "Weather?"},
            asked.model_dump(),
            {"type": "function_call_output", "call_id": asked.call_id, "output": "sunny"},
        ]
        second = client.responses.create(model="gpt-demo", input=history)
        events = list(client.responses.create(model="gpt-demo", input=history, stream=True))

    assert (asked.type, asked.name) == ("function_call", "get_weather")
    assert second.output_text == "Sunny."
    assert second.usage is not None
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == "Sunny."


def test_models_are_listed_and_unknown_paths_are_refused(weather: ModelServer):
    client = client_of(weather)

    assert "gpt-demo" in {model.id for model in client.models.list()}
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="gpt-demo", input="text")


def test_it_runs_as_a_process_of_its_own_and_stops_when_told(tmp_path: Path):
    (tmp_path / "lines.py").write_text(
        "from aftershock_collector.demo.model_server import by_turn, text_reply\n"
        "script = by_turn(text_reply('from another process'))\n"
    )
    command = [sys.executable, "-m", "aftershock_collector.demo.model_server"]
    command += ["--script", "lines:script"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        client = OpenAI(base_url=json.loads(process.stdout.readline())["url"], api_key="none")
        answer = client.chat.completions.create(model="gpt-demo", messages=USER)
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=5) == 0
    assert answer.choices[0].message.content == "from another process"
