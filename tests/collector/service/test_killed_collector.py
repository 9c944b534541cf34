"""`kill -9` of a real `aftershock up` at ten moments of one incident, before and after its page."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from aftershock.model import Claim
from aftershock_collector.store.reader import Reader
from tests.support.installation import Installation
from tests.support.receiver import Loopback, Receiver, Silent, eventually

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(900)]

BASELINE_S = 75.0
KILLED_AFTER_S = (0.2, 1.0, 2.0, 4.0, 7.0, 11.0, 16.0, 25.0, 40.0, 60.0)  # after the action
AGENT = """
import aftershock

@aftershock.tool
def scale(service, replicas):
    return "scaled"

with aftershock.run(agent="sre-bot"):
    scale(service="checkout", replicas=12)
"""


class Shop(Loopback):
    """A service's /metrics: fifty requests a second, of which two fifths fail while it is broken."""

    def __init__(self) -> None:
        self.is_broken = False
        self._turn = threading.Lock()
        self._dice = random.Random(7)
        self._requests, self._failed, self._at_s = 1_000.0, 1.0, time.monotonic()
        shop = self

        class Handler(Silent):
            def do_GET(self) -> None:  # noqa: N802
                body = shop.exposition().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        super().__init__(Handler)

    def exposition(self) -> str:
        with self._turn:
            now_s = time.monotonic()
            passed_s, self._at_s = now_s - self._at_s, now_s
            share = 0.4 if self.is_broken else 0.002
            count = passed_s * 50 * self._dice.uniform(0.9, 1.1)
            self._requests += count
            self._failed += count * share * self._dice.uniform(0.8, 1.2)
            name = "http_server_requests_total"
            return (
                f"# TYPE {name} counter\n"
                f'{name}{{code="200"}} {self._requests - self._failed:.3f}\n'
                f'{name}{{code="500"}} {self._failed:.3f}\n'
            )


def impacts(place: Path) -> list[Claim]:
    with Reader.open(place) as reader:
        return [claim for claim in reader.claims() if claim.finding.kind == "agent_impact"]


def test_a_collector_that_is_killed_ten_times_pages_once_and_withdraws_nothing(
    tmp_path: Path,
) -> None:
    with Receiver() as receiver, Shop() as shop:
        document: dict[str, Any] = {
            "tools": {"scale": {"tier": "provision", "targets": [{"service.name": "{service}"}]}},
            "infrastructure": {
                "scrape": [
                    {
                        "url": f"{shop.url}/metrics",
                        "every": "500ms",
                        "entity": {"service.name": "checkout"},
                    }
                ]
            },
            "on_call": {"webhook": {"url": f"{receiver.url}/page"}},
        }
        place = tmp_path / "home" / "aftershock.db"
        with Installation(tmp_path, document) as installation:
            time.sleep(BASELINE_S)
            installation.run_agent(AGENT)
            acted_s = time.monotonic()
            shop.is_broken = True
            withdrawn: list[Claim] = []
            for after_s in KILLED_AFTER_S:
                time.sleep(max(0.0, acted_s + after_s - time.monotonic()))
                withdrawn += [claim for claim in impacts(place) if claim.closing is not None]
                installation.kill()
                installation.start()
            eventually(lambda: receiver.requests, 60)
            eventually(lambda: impacts(place), 60)
            time.sleep(10)
            (claim,) = impacts(place)

    pages = [request.json for request in receiver.requests]
    assert withdrawn == []
    assert claim.closing is None
    assert claim.finding.impact is not None
    assert claim.finding.impact.entity == "service/checkout"
    assert [page["state"] for page in pages].count("opened") == 1
    assert {page["incident"] for page in pages} == {1}
    assert {"closed", "acknowledged"}.isdisjoint(page["state"] for page in pages)
