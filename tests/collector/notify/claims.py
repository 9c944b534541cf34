"""Claims and states that the tests of delivery share."""

from __future__ import annotations

from dataclasses import replace

from aftershock.model import Claim
from tests.support import incident
from tests.support.receiver import Receiver

S = incident.S


def another(run: str = "another") -> Claim:
    finding = replace(incident.missing_fact().finding, run_id=run, trace_id=run)
    return replace(incident.missing_fact(), finding=finding)


def states(receiver: Receiver) -> list[str]:
    return [request.json["state"] for request in receiver.requests]


def later(claim: Claim, seconds: float) -> Claim:
    return replace(claim, finding=replace(claim.finding, as_of_ns=incident.at(seconds)))
