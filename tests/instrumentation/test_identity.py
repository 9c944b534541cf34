"""Exported spans say which process to stop, also after a fork."""

from __future__ import annotations

import multiprocessing
import os
import socket

from opentelemetry.sdk.resources import Resource

from aftershock.recorder.identity import identified

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


def test_a_forked_child_says_its_own_process() -> None:
    identified(APP)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        host, pid = pool.apply(in_child)

    assert socket.gethostname() == host
    assert os.getpid() != pid
