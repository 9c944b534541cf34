"""From an act to the page, and what becomes of twenty incidents: `make bench-paging`, 90 seconds.

A real `aftershock up`, a real agent in a process of its own, a webhook on loopback. One agent acts
twenty times, each in a run of its own, without a fact that the policy requires, and then reads the
same again and again. Prints each bar, and whether it was met.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from aftershock.model import Claim, Closing
from aftershock_collector.notify.page_text import is_about_action
from aftershock_collector.store.reader import Reader
from tests.support.installation import Installation
from tests.support.receiver import Receiver

INCIDENTS = 20
PAGED_S_MAX = 0.6  # from the beginning of the call to the page on the receiver's socket
SETTLE_S = 5.0  # after the last run: what would close or page again has done so
SEEN = frozenset({Closing.ACKNOWLEDGED, Closing.FEEDBACK, Closing.EXPIRED})
POLICY: dict[str, Any] = {
    "tools": {
        "scale": {
            "tier": "provision",
            "targets": [{"service.name": "{service}"}],
            "requires": [{"fact": "connection_limit", "subject": "orders"}],
        },
        "get_status": {"tier": "read"},
    }
}
AGENT = f"""
import json, time
import aftershock

@aftershock.tool
def scale(service, workers):
    return "scaled"

@aftershock.tool
def get_status(service):
    return "degraded"

for number in range({INCIDENTS}):
    with aftershock.run(agent="sre-bot"):
        acted_s = time.time()
        scale(service="checkout", workers=12)
        with open("acts.jsonl", "a") as acts:
            print(json.dumps(acted_s), file=acts)
        for _ in range(8):
            time.sleep(0.4)
            get_status(service="checkout")
"""


def play(folder: Path) -> tuple[list[float], list[dict[str, Any]], list[float], list[Claim]]:
    """When the agent acted; the pages and when they came; and the findings that are left."""
    with Receiver() as receiver:
        pager = {"webhook": {"url": f"{receiver.url}/page"}}
        with Installation(folder, POLICY | {"on_call": pager}) as installation:
            installation.run_agent(AGENT)
            time.sleep(SETTLE_S)
        acts = [float(line) for line in (folder / "acts.jsonl").read_text("utf-8").splitlines()]
        pages = [request.json for request in receiver.requests]
        times = [request.at_s for request in receiver.requests]
    with Reader.open(folder / "home" / "aftershock.db") as reader:
        claims = reader.claims()
    return acts, pages, times, claims


def main() -> int:
    """Play it and print the figures; 1 where a bar was not met."""
    with tempfile.TemporaryDirectory() as folder:
        acts, pages, times, claims = play(Path(folder))
    opened = [
        (at, page) for at, page in zip(times, pages, strict=True) if page["state"] == "opened"
    ]
    incidents = {page["incident"] for page in pages}
    waited = sorted(at - acted for acted, (at, _) in zip(acts, opened, strict=False))
    unseen = [
        claim
        for claim in claims
        if claim.closing is not None
        and is_about_action(claim.finding)
        and claim.closing not in SEEN
    ]
    took = f"median {statistics.median(waited):.2f} s, most {waited[-1]:.2f} s"
    bars = (
        (f"{len(incidents)} incidents of {len(acts)} acts", len(incidents) == len(acts)),
        (f"{len(opened) / len(incidents):.2f} pages per incident", len(opened) == len(incidents)),
        (f"from the act to the page: {took}", statistics.median(waited) <= PAGED_S_MAX),
        (f"{len(unseen)} findings about actions closed unseen", not unseen),
    )
    for words, met in bars:
        print(f"{'met     ' if met else 'NOT MET '}{words}")
    return 0 if all(met for _, met in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
