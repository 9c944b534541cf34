"""`aftershock forget` as a person runs it: no byte of a run or of a subject stays in the folder."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock import attributes as names
from aftershock.fingerprints.fingerprint import fingerprint_arguments
from aftershock_collector import cli
from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.service.wiring import running
from aftershock_collector.store.home_lock import held
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.support.receiver import Receiver
from tests.support.traffic import attribute, span_request

HERE = Address("127.0.0.1", 0)
S = 10**9
T0 = 1_790_000_000 * S
POLICY = {"tools": {"drop_*": {"gate": "ask", "tier": "destructive"}}}
PERSON, OTHER = "customer-zacharias", "customer-wilhelmina"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFTERSHOCK_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(number: int, person: str) -> Span:
    own = {
        names.OPERATION: "execute_tool",
        names.TOOL_NAME: f"drop_{person}",
        names.AGENT_NAME: f"agent of {person}",
        names.TOOL_ARGUMENTS: json.dumps({"who": person}),
        names.TOOL_RESULT: f"{person} is gone",
    }
    return Span(
        trace_id=number.to_bytes(16), span_id=number.to_bytes(8), name="execute_tool",
        start_time_unix_nano=T0, end_time_unix_nano=T0 + S,
        attributes=[attribute(key, value) for key, value in own.items()],
    )  # fmt: skip


def recorded(home: Path, *spans: Span) -> None:
    """What a collector makes of these calls: runs, findings, an incident and pages."""

    async def go(receiver: Receiver) -> None:
        on_call = OnCall(webhook_url=receiver.url, wait_s=0.0)
        config = Config(home, http=HERE, grpc=HERE, tick_s=0.05, on_call=on_call, document=POLICY)
        async with (
            running(config) as up,
            httpx.AsyncClient(base_url=f"http://{up.http}", timeout=60) as client,
        ):
            for span in spans:
                headers = {"content-type": "application/x-protobuf"}
                body = span_request([span])
                assert (await client.post("/v1/traces", content=body, headers=headers)).is_success
            alert = [{"labels": {"alertname": "Down", "who": PERSON}, "startsAt": "2026-09-21T00:00:00Z",
                      "annotations": {"summary": f"{PERSON} complains"}}]  # fmt: skip
            assert (await client.post("/api/v2/alerts", json=alert)).is_success
            while len(receiver.requests) < len(spans):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    with Receiver() as receiver:
        asyncio.run(go(receiver))


def bytes_of(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(home.glob("aftershock.db*")))


def run_of(number: int) -> str:
    return number.to_bytes(16).hex()


@pytest.mark.parametrize("name", [run_of(1), PERSON, PERSON.upper()])
def test_no_byte_of_what_is_forgotten_stays_and_the_rest_does(
    home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    recorded(home, call(1, PERSON), call(2, OTHER))
    assert PERSON.encode() in bytes_of(home)

    assert cli.main(["forget", name, "--by", "ann"]) == 0
    assert "Would remove (add --yes): 1 run" in capsys.readouterr().out
    assert PERSON.encode() in bytes_of(home)

    assert cli.main(["forget", name, "--yes", "--by", "ann", "--because", "request 7"]) == 0
    printed = capsys.readouterr().out
    assert "Removed: 1 run; " in printed
    assert "1 claims" in printed
    assert "Messages that were sent before stay where they are: webhook 1." in printed
    stored = bytes_of(home)
    if name != run_of(1):  # the alert is no part of the run
        assert PERSON.encode() not in stored
    assert f"drop_{PERSON}".encode() not in stored
    assert bytes.fromhex(run_of(1))[-4:] + b"agent" not in stored
    with Reader.open(home / "aftershock.db") as reader:
        assert [run.run_id for run in reader.runs()] == [run_of(2)]
        assert len(reader.claims()) == len(reader.incidents()) == 1
    (line,) = (home / "forgotten.jsonl").read_text("utf-8").splitlines()
    audit = json.loads(line)
    assert (audit["by"], audit["because"], audit["runs"]) == ("ann", "request 7", 1)
    assert PERSON not in line


def test_a_subject_is_found_by_its_fingerprint_where_no_content_was_stored(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from aftershock.fingerprints.fingerprint import subjects_of

    given = {"customer_id": "cus_81723645"}
    span = call(1, "x")
    del span.attributes[3:]
    span.attributes.append(attribute(names.ARGUMENTS_DIGEST, fingerprint_arguments(given).digest))
    span.attributes.append(attribute(names.SUBJECTS, sorted(subjects_of(given))))
    recorded(home, span, call(2, OTHER))
    assert b"cus_81723645" not in bytes_of(home)

    assert cli.main(["forget", "cus_81723645", "--yes", "--by", "ann"]) == 0
    assert "Removed: 1 run" in capsys.readouterr().out


def test_it_waits_for_the_collector_to_stop_and_says_what_is_wrong(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["forget", "anything", "--by", "ann"]) == 1
    assert "nothing is recorded" in capsys.readouterr().err
    with closing(SqliteStore.open(home / "aftershock.db")):
        pass
    with held(home):
        assert cli.main(["forget", "anything", "--by", "ann"]) == 1
        assert "stop the collector first" in capsys.readouterr().err
    assert cli.main(["forget", "abc", "--by", "ann"]) == 2
    assert cli.main(["forget", "anything", "--by", "ann"]) == 0
    assert "Nothing is stored of it." in capsys.readouterr().out
