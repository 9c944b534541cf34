"""The connection to the collector, against servers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from aftershock.guard.connection import Connection, Place, Refused, Unreachable

OK = b'HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{"a": 1}'


@contextmanager
def server(*answers: bytes | None) -> Generator[tuple[str, list[int]]]:
    """Answers each request with the next bytes; None closes the connection before it."""
    connections: list[int] = []
    listener = socket.create_server(("127.0.0.1", 0))
    waiting = list(answers)

    def serve() -> None:
        while waiting:
            try:
                opened, _ = listener.accept()
            except OSError:
                return
            connections.append(1)
            with opened:
                while waiting and opened.recv(65_536):
                    answer = waiting.pop(0)
                    if answer is None:
                        break
                    opened.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", connections
    finally:
        listener.close()
        with socket.socket() as knock:  # an accept that waits does not notice the close
            knock.connect_ex(
                listener.getsockname() if listener.fileno() != -1 else ("127.0.0.1", 9)
            )
        waiting.clear()
        thread.join(10)


def test_one_connection_serves_many_requests() -> None:
    with server(OK, OK, OK) as (url, connections):
        connection = Connection(url, {})
        answers = [connection.post("/x", {}, 5.0) for _ in range(3)]
        connection.close()

    assert [{"a": 1}] * 3 == answers
    assert len(connections) == 1


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with server(OK, None, OK) as (url, connections):
        connection = Connection(url, {})
        connection.post("/x", {}, 5.0)
        answer = connection.post("/x", {}, 5.0)
        connection.close()

    assert {"a": 1} == answer
    assert len(connections) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{{{",
        b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        None,
    ],
)
def test_an_answer_that_is_none_means_that_the_collector_is_not_reached(
    answer: bytes | None,
) -> None:
    with server(answer) as (url, _):
        connection = Connection(url, {})
        with pytest.raises(Unreachable):
            connection.post("/x", {}, 5.0)
        connection.close()


def test_a_refusal_is_not_an_absence() -> None:
    body = b'{"message": "no token"}'
    head = f"HTTP/1.1 401 Unauthorized\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with server(head + body) as (url, _):
        connection = Connection(url, {})
        with pytest.raises(Refused, match="no token") as caught:
            connection.post("/x", {}, 5.0)
        connection.close()

    assert caught.value.status == 401


def test_a_collector_that_never_answers_costs_no_more_than_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = Connection(f"http://127.0.0.1:{listener.getsockname()[1]}", {})
        with pytest.raises(Unreachable):
            connection.post("/x", {}, 0.2)
        connection.close()


def test_the_parts_of_a_url() -> None:
    plain = Place("http://collector")
    assert ("collector", 80, False, "") == (plain.host, plain.port, plain.secure, plain.path)
    secure = Place("https://[::1]:4318/base/")
    assert ("::1", 4318, True, "/base") == (secure.host, secure.port, secure.secure, secure.path)
    for wrong in ("collector:4318", "ftp://x", "http://"):
        with pytest.raises(ValueError, match="URL"):
            Place(wrong)
