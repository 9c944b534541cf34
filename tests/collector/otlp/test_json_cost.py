"""What a JSON body of the largest size can cost: it is refused, or soon read."""

from __future__ import annotations

import json
import time

import pytest

from aftershock_collector.otlp.decode import decode_traces
from aftershock_collector.otlp.wire import Unreadable
from tests.bench.loads import nested_json

CPU_S_MAX = 8.0  # it takes one; the bound is for machines that are slow


def test_the_costliest_body_that_is_accepted_is_read_within_seconds() -> None:
    body = next(nested_json(1.0))
    began_s = time.process_time()
    assert len(decode_traces(body.content, "application/json").items) == 1

    assert time.process_time() - began_s < CPU_S_MAX


def test_a_body_of_nothing_but_the_smallest_values_is_refused() -> None:
    values = [{"intValue": "1"}] * 700_000
    span = {"attributes": [{"key": "k", "value": {"arrayValue": {"values": values}}}]}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()

    with pytest.raises(Unreadable, match="smaller batches"):
        decode_traces(body, "application/json")
