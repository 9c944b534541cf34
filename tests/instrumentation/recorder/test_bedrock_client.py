"""Requests to models of Bedrock: Amazon's real client, and a scripted model that it is pointed at."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from aftershock import attributes as names
from aftershock.recorder import bedrock_client, implicit_run, model_requests
from tests.instrumentation.conftest import Recorder, own
from tests.support.coding_agents.scripted_model import ScriptedModel
from tests.support.frameworks.play import LOOP, ONE_BY_ONE, THOUGHT, Play

SPECS: list[Any] = [
    {"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}}
    for name in ("get_status", "scale_workers")
]
REQUEST: dict[str, Any] = {
    "modelId": "amazon.nova-pro-v1:0",
    "messages": [{"role": "user", "content": [{"text": LOOP}]}],
    "toolConfig": {"tools": SPECS},
}


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As after the import of botocore under our launcher, and as before afterwards."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "aftershock")
    client: Any = import_module("botocore.client").BaseClient
    monkeypatch.setattr(client, "_make_api_call", client._make_api_call)
    model_requests.handler.cache_clear()
    bedrock_client.wrap_functions("botocore.client")
    bedrock_client.wrap_functions("botocore.client")  # a second import hook changes nothing
    yield
    implicit_run.end()
    model_requests.handler.cache_clear()


@pytest.fixture
def client() -> Iterator[Any]:
    boto3: Any = import_module("boto3")
    with ScriptedModel(Play(ONE_BY_ONE)) as model:
        yield boto3.client(
            "bedrock-runtime",
            region_name="eu-west-1",
            endpoint_url=model.url,
            aws_access_key_id="none",
            aws_secret_access_key="none",
            config=import_module("botocore.config").Config(retries={"total_max_attempts": 1}),
        )


def inference(recorder: Recorder) -> dict[str, Any]:
    (found,) = [own(span) for span in recorder.spans if span.name.startswith("chat")]
    return found


def test_a_streamed_answer_is_read_as_it_passes_and_reaches_the_app_unchanged(
    recorder: Recorder, client: Any
) -> None:
    events = list(client.converse_stream(**REQUEST)["stream"])

    found = inference(recorder)
    assert [next(iter(event)) for event in events][0::9] == ["messageStart", "metadata"]
    assert (found[names.INPUT_TOKENS], found[names.OUTPUT_TOKENS]) == (1_200, 40)
    assert found[names.CACHE_READ_TOKENS] == 300
    assert found[names.REASONING_SIZE] == len(THOUGHT)
    assert found[names.REQUEST_MODEL] == "amazon.nova-pro-v1:0"
    assert found[names.INFERENCE_TOOLS][0].startswith("get_status")


def test_a_stream_that_the_app_leaves_early_ends_its_inference(
    recorder: Recorder, client: Any
) -> None:
    for event in client.converse_stream(**REQUEST)["stream"]:
        if "contentBlockDelta" in event:
            break

    assert names.INPUT_TOKENS not in inference(recorder)


def test_results_of_tools_are_joined_to_their_calls(recorder: Recorder, client: Any) -> None:
    asked = client.converse(**REQUEST)["output"]["message"]
    (call,) = [block["toolUse"] for block in asked["content"] if "toolUse" in block]
    result = {"toolUseId": call["toolUseId"], "content": [{"json": {"ready": 3}}]}
    messages = [*REQUEST["messages"], asked, {"role": "user", "content": [{"toolResult": result}]}]
    client.converse(**{**REQUEST, "messages": messages})

    (tool,) = [own(span) for span in recorder.spans if span.name == "execute_tool get_status"]
    assert tool[names.TOOL_CALL_ID] == call["toolUseId"]
    assert tool[names.RESULT_OUTCOME] == "ok"


def test_an_error_of_the_service_passes_and_fails_the_inference(
    recorder: Recorder, client: Any
) -> None:
    stubber: Any = import_module("botocore.stub").Stubber(client)
    stubber.add_client_error("converse", "ThrottlingException", http_status_code=429)
    with stubber, pytest.raises(client.exceptions.ThrottlingException):
        client.converse(**REQUEST)

    assert inference(recorder)[names.ERROR_TYPE].endswith("ThrottlingException")
