"""`aftershock ack`, `snooze`, `mute` and `feedback` in processes of their own, beside `aftershock up`."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aftershock_collector.store.reader import Reader
from tests.support.installation import Installation
from tests.support.receiver import Receiver, eventually

WAIT_S = 60.0  # processes start from nothing, on a machine that does much else
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

AGENT = """
import aftershock

@aftershock.tool
def scale(service):
    return "scaled"

with aftershock.run(agent="sre-bot"):
    scale(service="checkout")
"""
POLICY: dict[str, Any] = {
    "tools": {"scale": {"tier": "provision", "requires": [{"fact": "connection_limit"}]}}
}


@pytest.fixture
def receiver() -> Generator[Receiver]:
    with Receiver() as found:
        yield found


def test_every_answer_reaches_the_collector_and_it_goes_on_recording(
    tmp_path: Path, receiver: Receiver
) -> None:
    def states() -> list[tuple[int, str]]:
        return [(request.json["incident"], request.json["state"]) for request in receiver.requests]

    on_call = {"webhook": {"url": f"{receiver.url}/page"}}
    by = ("--by", "alice", "--because", "looking")
    with Installation(tmp_path, POLICY | {"on_call": on_call}) as installation:
        for number, answer in ((1, "ack"), (2, "feedback")):
            installation.run_agent(AGENT)
            eventually(lambda n=number: (n, "opened") in states(), WAIT_S)
            choice = ("agent",) if answer == "feedback" else ()
            done = installation.run(answer, str(number), *choice, *by)
            assert done.returncode == 0, done.stderr
            eventually(lambda n=number: (n, "closed") in states(), WAIT_S)
        installation.run("mute", "--rule", "missing_fact", "--for", "1h", *by)
        installation.run_agent(AGENT)
        with Reader.open(tmp_path / "home" / "aftershock.db") as reader:
            eventually(lambda: reader.incident(3), WAIT_S)
            muted = reader.incident(3)
        shown = httpx.get(f"http://{installation.http}/incidents/3", timeout=WAIT_S)

    assert muted is not None
    assert "muted by alice" in (muted.muted or "")
    assert shown.status_code == 200
    assert [state for number, state in states() if number == 3] == []
