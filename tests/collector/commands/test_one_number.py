"""Steps, tokens and what was spent are one number each, wherever a person reads them."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from aftershock_collector.config.model import Address, Config
from aftershock_collector.service.wiring import running
from tests.support.commands import printed_data, run_main
from tests.support.traffic import Traffic, failing_run, looping_run, span_request

ANY = Address("127.0.0.1", 0)
HEADERS = {"content-type": "application/x-protobuf"}
COUNT = re.compile(r"(\d+(?:,\d{3})*) (steps?|tokens?)\b")


def counts(text: str, noun: str) -> list[str]:
    """Zeros are left out: one view names them, the other does not."""
    found = [number for number, name in COUNT.findall(text) if name.startswith(noun)]
    return [number for number in found if number != "0"]


@pytest.mark.parametrize("played", [looping_run, failing_run])
def test_a_run_has_one_number_of_steps_and_a_finding_one_spending(
    played: Callable[..., Traffic],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AFTERSHOCK_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    traffic = played(random.Random(1), began_ns=time.time_ns() - 60 * 10**9)
    run_id = traffic.spans[0].trace_id.hex()

    async def visit() -> tuple[str, str]:
        config = Config(home=tmp_path, http=ANY, grpc=ANY, tick_s=0.05)
        async with running(config) as collector, httpx.AsyncClient(timeout=60) as client:
            base = f"http://{collector.http}"
            body = span_request(traffic.spans)
            await client.post(f"{base}/v1/traces", content=body, headers=HEADERS)
            for _ in range(600):
                await asyncio.sleep(0.1)
                if "alarm" in (await client.get(f"{base}/findings")).text:
                    break
            return (await client.get(base)).text, (await client.get(f"{base}/runs/{run_id}")).text

    listed, shown = asyncio.run(visit())

    def main(*argv: str) -> tuple[int, str, str]:
        return run_main(capsys, *argv)

    (run,) = printed_data(main, "runs")
    steps = f"{run['steps']:,}"
    in_list = re.search(r"([\d,]+)\s+steps\s+1 alarm", re.sub(r"<[^>]+>", " ", listed))
    why = main("why", "1")[1]
    timeline = main("timeline", run_id)[1]

    assert in_list is not None
    assert in_list[1] == steps
    assert steps in counts(shown, "step")
    assert steps in counts(timeline, "step")
    assert counts(why, "token")[:1] == counts(shown, "token")[:1]
    assert set(counts(why, "step")[-1:]) <= set(counts(shown, "step"))
