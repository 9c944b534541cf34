"""`aftershock mcp-proxy -- COMMAND`: real processes, with the SDK's client and server at the ends."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import CreateMessageResult, ElicitResult, TextContent
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from aftershock import attributes as names
from tests.instrumentation.proxy.proxied import (
    PROXY,
    calls_in,
    over_stdio,
    ran,
    text_in,
    until_ran,
    variables,
)
from tests.instrumentation.running import PROGRAMS
from tests.support.live_collector import live_collector
from tests.support.otlp_sender import recorded_spans
from tests.support.otlp_sink import Sink

LINES = str(PROGRAMS / "line_server.py")
DENY = "gate: {mode: enforce, tiers: {destructive: deny}}"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    place = tmp_path / "aftershock.yaml"
    place.write_text(DENY)
    return place


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_session_is_as_without_a_proxy_and_each_call_is_one_span(
    tmp_path: Path, mode: str
) -> None:
    """Progress, elicitation, sampling, resources and errors, in both eras of the protocol."""
    steps: list[float] = []

    async def elicit(_context: Any, _params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"name": "Ann"})

    async def sample(_context: Any, _params: Any) -> CreateMessageResult:
        return CreateMessageResult(
            role="assistant", content=TextContent(type="text", text="hi"), model="m"
        )

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        steps.append(progress)

    async def scene(url: str) -> list[Any]:
        callbacks = {"elicitation_callback": elicit, "sampling_callback": sample, "mode": mode}
        async with over_stdio(tmp_path / "m", variables(url), client=callbacks) as client:
            assert len((await client.list_tools()).tools) == 9
            with pytest.raises(MCPError):
                await client.read_resource("unknown://x")
            return [
                text_in(await client.call_tool("get_weather", {"city": "Köln"})),
                await client.call_tool("get_lost", {"city": "Bonn"}),
                text_in(await client.call_tool("get_steps", {}, progress_callback=progress)),
                text_in(await client.call_tool("get_name", {})),
                text_in(await client.call_tool("get_sampled", {})) if mode == "legacy" else "hi",
                (await client.read_resource("city://bonn")).contents[0].text,  # type: ignore[union-attr]
                json.loads(text_in(await client.call_tool("get_trace", {})))["meta"],
            ]

    with Sink() as sink:
        weather, lost, done, name, sampled, about, trace = asyncio.run(scene(sink.url))
        (read,), (failed,) = calls_in(sink, "get_weather"), calls_in(sink, "get_lost")
        (asked,) = calls_in(sink, "get_name")
        (traced,) = calls_in(sink, "get_trace")

    assert (weather, done, about) == ("Köln: 21.5 °C, wind 1e3", "done", "about bonn")
    assert lost.is_error
    assert steps == [0, 1, 2]
    assert name.startswith("asked: ")
    assert "hi" in sampled
    assert read.attributes[names.OPERATION] == "execute_tool"
    assert read.attributes[names.MCP_METHOD] == "tools/call"
    assert read.attributes[names.AGENT_NAME] == "city-bot"
    assert read.attributes[names.ACTION_TIER] == "read"
    assert read.attributes[names.RESULT_OUTCOME] == "ok"
    assert (failed.attributes[names.ERROR_TYPE], failed.status) == ("tool_error", 2)
    assert failed.attributes[names.RESULT_OUTCOME] == "failed"
    assert asked.attributes[names.RESULT_OUTCOME] == "ok"
    assert trace == f"00-{traced.trace_id}-{traced.span_id}-03"
    assert "Köln" not in read.texts(), "content is off"


def test_what_the_policy_denies_is_a_result_and_never_reaches_the_server(
    tmp_path: Path, policy: Path
) -> None:
    async def scene(url: str) -> Any:
        async with over_stdio(tmp_path / "m", variables(url, policy)) as client:
            held = await client.call_tool("delete_city", {"city": "Bonn"})
            await client.call_tool("get_weather", {"city": "Bonn"})
            return held

    with Sink() as sink:
        held = asyncio.run(scene(sink.url))
        (span,) = calls_in(sink, "delete_city")
        (read,) = calls_in(sink, "get_weather")

    assert held.is_error
    assert "delete_city was not run." in text_in(held)
    assert "The policy does not allow destructive calls." in text_in(held)
    assert ran(tmp_path / "m") == ["get_weather Bonn"]
    assert span.attributes[names.GUARDRAIL_ACTION_TYPE] == "block"
    assert span.attributes[names.RUN_ID] == read.attributes[names.RUN_ID]


@pytest.mark.slow
def test_a_person_pauses_resumes_and_stops_without_any_policy(tmp_path: Path) -> None:
    async def scene(collector: Any) -> tuple[bool, str, Any]:
        env = variables(collector.url, AFTERSHOCK_COLLECTOR=collector.url)
        async with over_stdio(tmp_path / "m", env) as client:
            await client.call_tool("get_weather", {"city": "first"})
            await asyncio.to_thread(collector.order, "pause", agent="city-*")
            held = asyncio.create_task(client.call_tool("get_weather", {"city": "held"}))
            assert len((await client.list_tools()).tools) == 9, "all else goes on"
            await asyncio.sleep(0.5)
            waits = not held.done()
            await asyncio.to_thread(collector.order, "resume", agent="city-*")
            text = text_in(await held)
            await asyncio.to_thread(collector.order, "stop", agent="city-*")
            return waits, text, await client.call_tool("get_weather", {"city": "stopped"})

    with live_collector(tmp_path) as collector:
        waits, text, stopped = asyncio.run(scene(collector))

    assert waits
    assert text.startswith("held")
    assert "ann (127.0.0.1) stopped agent city-*" in text_in(stopped)
    assert ran(tmp_path / "m") == ["get_weather first", "get_weather held"]


@pytest.mark.slow
def test_a_cancelled_call_is_cancelled_at_the_server_and_its_span_says_so(tmp_path: Path) -> None:
    async def scene(url: str) -> None:
        async with over_stdio(tmp_path / "m", variables(url)) as client:
            call = asyncio.create_task(client.call_tool("get_for_ever", {}))
            await until_ran(tmp_path / "m", "waiting")
            call.cancel()
            await until_ran(tmp_path / "m", "cancelled")

    with Sink() as sink:
        asyncio.run(scene(sink.url))
        (span,) = calls_in(sink, "get_for_ever")

    assert ran(tmp_path / "m") == ["waiting", "cancelled"]
    assert span.attributes[names.ERROR_TYPE] == "cancelled"
    assert names.RESULT_OUTCOME not in span.attributes, "nobody knows what it did"


# --- Lines as they are, before a server that keeps what it gets -----------------------------------


def relayed(
    tmp_path: Path, lines: list[bytes], sink: Sink | None = None, policy: Path | None = None
) -> tuple[list[Any], list[bytes], int]:
    """(what the client is answered, what the server got, the exit code)."""
    kept = tmp_path / "kept"
    kept.touch()
    url = "http://127.0.0.1:9" if sink is None else sink.url
    ended = subprocess.run(
        [*PROXY, "--", sys.executable, LINES, str(kept)],
        input=b"".join(line + b"\n" for line in lines),
        capture_output=True,
        env=variables(url, policy),
        timeout=100,
        check=False,
    )
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    return answers, kept.read_bytes().splitlines(), ended.returncode


def call(number: int | None, tool: str, **arguments: Any) -> bytes:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": "tools/call"}
    if number is not None:
        message["id"] = number
    return json.dumps({**message, "params": {"name": tool, "arguments": arguments}}).encode()


@pytest.mark.slow
def test_everything_but_calls_passes_byte_for_byte_and_the_exit_code_is_the_servers(
    tmp_path: Path,
) -> None:
    lines = [
        b'{"jsonrpc": "2.0",  "method":"notifications/progress", "params": {"p": 1.10}}',
        '{"jsonrpc":"2.0","method":"made/up","params":["ü", 1E5]}'.encode(),
        b'{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"of the client"}}',
        b'[{"jsonrpc":"2.0","method":"notifications/a"} , {"jsonrpc":"2.0","method":"b"}]',
        b'{"jsonrpc":"2.0","method":"exit"}',
    ]

    answers, kept, code = relayed(tmp_path, lines)

    assert kept == lines
    assert (answers, code) == ([], 7)


def test_a_call_in_disguise_is_judged_or_refused(tmp_path: Path, policy: Path) -> None:
    """Escapes, keys that occur twice, a call without an id, other encodings."""
    escaped = call(1, "delete_city").replace(b"tools/call", b"tools\\u002fc\\u0061ll")
    twice = call(2, "get_city")[:-1] + b', "params": {"name": "delete_city"}}'

    answers, kept, _ = relayed(
        tmp_path,
        [escaped, twice, call(None, "delete_city"), b'{"id": 3, \xff}', call(4, "get_city")],
        policy=policy,
    )

    assert len(kept) == 1
    assert b"get_city" in kept[0]
    assert [one.get("error", {}).get("code") for one in answers if "error" in one] == [
        -32600, -32700,
    ]  # fmt: skip
    results = {one["id"]: one["result"] for one in answers if "result" in one}
    assert results[1]["isError"] is True
    assert results[4]["content"][0]["text"] == "get_city ran"


@pytest.mark.slow
def test_of_a_batch_only_the_calls_that_are_held_back_stay_here(
    tmp_path: Path, policy: Path
) -> None:
    batch = b"[" + call(1, "get_a") + b", " + call(2, "delete_b") + b"]"

    answers, kept, _ = relayed(tmp_path, [batch], policy=policy)

    (got,) = [json.loads(line) for line in kept]
    assert [one["params"]["name"] for one in got] == ["get_a"]
    found = {one["id"]: one["result"] for answer in answers for one in answer}
    assert found[1]["content"][0]["text"] == "get_a ran"
    assert "delete_b was not run." in found[2]["content"][0]["text"]


def test_errors_of_the_protocol_and_answers_that_never_come_stand_on_the_span(
    tmp_path: Path,
) -> None:
    with Sink() as sink:
        answers, _, _ = relayed(tmp_path, [call(1, "get_error"), call(2, "get_for_ever")], sink)
        (failed,), (open_,) = calls_in(sink, "get_error"), calls_in(sink, "get_for_ever")

    assert [one["error"]["code"] for one in answers] == [-32602]
    assert failed.attributes[names.ERROR_TYPE] == failed.attributes[names.RPC_STATUS] == "-32602"
    assert failed.attributes[names.RESULT_OUTCOME] == "failed"
    assert open_.attributes[names.ERROR_TYPE] == "no_answer"


@pytest.mark.slow
def test_a_message_beyond_the_bound_is_refused_from_the_client_and_passes_from_the_server(
    tmp_path: Path,
) -> None:
    large = call(1, "get_x", text="x" * 70_000_000)
    (tmp_path / "kept").touch()
    command = [*PROXY, "--", sys.executable, LINES, str(tmp_path / "kept")]

    with Sink() as sink:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables(sink.url)
        ) as proxy:
            assert proxy.stdin is not None
            assert proxy.stdout is not None
            proxy.stdin.write(large + b"\n")
            proxy.stdin.write(call(2, "get_large") + b"\n")
            proxy.stdin.flush()
            answers = [json.loads(proxy.stdout.readline()) for _ in range(2)]
            proxy.stdin.close()
            assert proxy.wait(60) == 0
        (span,) = calls_in(sink, "get_large")

    assert len((tmp_path / "kept").read_bytes().splitlines()) == 1
    assert "larger than 64000000 bytes" in answers[0]["error"]["message"]
    assert len(answers[1]["result"]["content"]) == 66_000_000
    assert span.attributes[names.ERROR_TYPE] == "message_too_large"


def test_a_server_that_does_not_exist_is_named() -> None:
    ended = subprocess.run(
        [*PROXY, "--", "no-such-server"],
        capture_output=True, env=variables("http://127.0.0.1:9"), timeout=60, check=False, text=True,
    )  # fmt: skip

    assert (ended.returncode, "no-such-server: No such file" in ended.stderr) == (127, True)


def test_budgets_of_a_day_hold_calls_back(tmp_path: Path) -> None:
    """What other processes of the agent used counts; the server never sees the call."""
    (tmp_path / "aftershock.yaml").write_text(
        "gate: {mode: enforce, budget: deny}\nagents: {city-bot: {budget_per_day: {steps: 10}}}"
    )
    bot = {names.AGENT_NAME: "city-bot"}
    with live_collector(tmp_path / "home") as collector:
        sent = encode_spans(recorded_spans(9, "elsewhere", bot)).SerializeToString()
        headers = {"Content-Type": "application/x-protobuf"}
        httpx.post(f"{collector.url}/v1/traces", content=sent, headers=headers).raise_for_status()
        asked = {"of": [{"scope": "agent", "name": "city-bot"}]}
        while collector.post("/v1/guard/spending", asked)["counts"][0]["steps"] < 9:
            time.sleep(0.05)  # until it is counted: it was acknowledged before
        env = variables(
            collector.url, tmp_path / "aftershock.yaml", AFTERSHOCK_COLLECTOR=collector.url
        )

        async def scene() -> list[Any]:
            async with over_stdio(tmp_path / "marks", env) as client:
                first = await client.call_tool("get_weather", {"city": "Ulm"})
                return [first, await client.call_tool("get_weather", {"city": "Bonn"})]

        passed, held = asyncio.run(scene())

    assert not passed.is_error
    assert held.is_error
    assert "The budget of agent city-bot for today: 11 of 10 steps with this call." in text_in(held)
    assert len(ran(tmp_path / "marks")) == 1


def test_one_line_is_one_message_for_every_reader_of_lines(tmp_path: Path, policy: Path) -> None:
    """Some end a line at a carriage return, too, or at a separator of Unicode inside of a text."""
    hidden = call(1, "delete_city")
    blank = b'{"jsonrpc":"2.0","method":"a","params":\r' + hidden + b"\r}"
    inside = json.dumps(f"\u2028{hidden.decode()}\u2029\x85", ensure_ascii=False).encode()
    written = call(2, "get_city")[:-2] + b', "_meta": {"note": ' + inside + b"}}}"

    answers, kept, _ = relayed(tmp_path, [blank, written], policy=policy)

    lines = [line for raw in kept for line in raw.decode().splitlines()]
    assert len(lines) == 2
    assert json.loads(lines[0])["params"]["params"]["name"] == "delete_city"
    assert json.loads(lines[1])["params"]["_meta"]["note"].startswith("\u2028{")
    assert [one["id"] for one in answers] == [2]
