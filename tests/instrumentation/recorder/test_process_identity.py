"""Exported spans say which process to stop, also after a fork."""

from __future__ import annotations

import multiprocessing
import os
import socket

import pytest
from opentelemetry.sdk.resources import Resource

import aftershock
from aftershock.attributes import EVENT_STARTED
from aftershock.recorder.process_identity import identified
from tests.instrumentation.conftest import Recorder

APP = Resource.create({"service.name": "bot"})


def named(resource: Resource) -> tuple[object, object]:
    return resource.attributes["host.name"], resource.attributes["process.pid"]


def in_child() -> tuple[object, object]:
    return named(identified(APP))


def test_host_and_process_are_added_and_the_same_resource_stays_one() -> None:
    assert (socket.gethostname(), os.getpid()) == named(identified(APP))
    assert identified(APP) is identified(APP)
    assert "bot" == identified(APP).attributes["service.name"]


def test_what_the_user_says_of_the_process_wins() -> None:
    given = Resource.create({"host.name": "web-1", "process.pid": 7})

    assert ("web-1", 7) == named(identified(given))


@pytest.mark.slow
def test_a_forked_child_says_its_own_process() -> None:
    identified(APP)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        host, pid = pool.apply(in_child)

    assert socket.gethostname() == host
    assert os.getpid() != pid


def test_a_start_event_says_what_to_stop_before_any_span_has_ended(recorder: Recorder) -> None:
    @aftershock.tool
    def inspect() -> None:
        (started, *_) = [e for e in recorder.events if e.log_record.event_name == EVENT_STARTED]
        found.append(started.resource.attributes["process.pid"])

    found: list[object] = []
    inspect()

    assert [os.getpid()] == found
