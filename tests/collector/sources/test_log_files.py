"""Log files are followed: from their end, through rotation and truncation, and across restarts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from aftershock.model import Impact
from aftershock_collector.config.model import Address, Config, Infrastructure, LogFiles
from aftershock_collector.service.wiring import running
from aftershock_collector.sources import log_files
from aftershock_collector.sources.log_files import LogFollower, Places
from aftershock_collector.store.reader import Reader
from aftershock_collector.telemetry import Telemetry
from tests.collector.reading.test_logs import PREFIX
from tests.collector.service.test_suspects import PROTOBUF, SPAN, TRACE, S, tool_span
from tests.support.receiver import eventually
from tests.support.traffic import span_request

ANY = Address("127.0.0.1", 0)
PARENT = f"00-{TRACE}-{SPAN}-01"


def entry(table: str, parent: str = PARENT) -> str:
    return (
        f"{PREFIX}LOG:  statement: delete from {table}\n\twhere id = 1 /*traceparent='{parent}'*/\n"
    )


def follower(path: Path | str, places: Places | None = None) -> LogFollower:
    files = [LogFiles(str(path), "postgresql", {})]
    return LogFollower(files, lambda _read: None, Telemetry(), clock=lambda: 7, places=places)


def rounds(follows: LogFollower, count: int = 9) -> tuple[list[str], Places]:
    """Names of what several rounds read, and how far the last of them came."""
    found = [read for _ in range(count) if (read := follows.read()) is not None]
    names = [change.name for read in found for change in read.changes]
    return names, found[-1].places if found else Places()


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_a_file_is_read_from_its_end_and_a_record_of_several_lines_is_one(tmp_path: Path) -> None:
    log = tmp_path / "pg.log"
    append(log, entry("past"))
    follows = follower(log)

    assert [] == rounds(follows)[0]
    append(log, entry("a") + entry("b")[:-20])
    assert ["DELETE a"] == rounds(follows, 1)[0]
    append(log, entry("b")[-20:])
    assert ["DELETE b"] == rounds(follows)[0]


def test_a_rotated_and_a_truncated_file_lose_nothing(tmp_path: Path) -> None:
    log = tmp_path / "pg.log"
    log.touch()
    follows = follower(log)
    rounds(follows)

    append(log, entry("a"))
    log.rename(tmp_path / "pg.log.1")
    append(tmp_path / "pg.log.1", entry("b"))
    append(log, entry("c"))
    assert ["DELETE a", "DELETE b", "DELETE c"] == rounds(follows)[0]
    log.write_text("", encoding="utf-8")  # copytruncate: the same file, shorter
    rounds(follows, 1)
    append(log, entry("d"))
    assert ["DELETE d"] == rounds(follows)[0][-1:]


def test_a_restart_goes_on_where_the_last_record_began(tmp_path: Path) -> None:
    log = tmp_path / "pg.log"
    log.touch()
    first = follower(log)
    rounds(first)
    append(log, entry("a") + entry("b"))
    read, places = rounds(first, 1)
    append(log, entry("c"))

    again, _ = rounds(follower(log, places))
    fresh, _ = rounds(follower(log))

    assert ["DELETE a"] == read  # the end of the second was not seen yet
    assert ["DELETE b", "DELETE c"] == again
    assert [] == fresh


def test_files_that_match_a_pattern_later_are_read_whole(tmp_path: Path) -> None:
    follows = follower(f"{tmp_path}/*.log")
    rounds(follows)
    append(tmp_path / "monday.log", entry("a"))

    assert ["DELETE a"] == rounds(follows, 20)[0]


def test_what_is_too_long_or_too_far_behind_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "pg.log"
    log.touch()
    telemetry = Telemetry()
    files = [LogFiles(str(log), "postgresql", {})]
    follows = LogFollower(files, lambda _read: None, telemetry, clock=lambda: 7)
    rounds(follows)
    append(log, f"{PREFIX}LOG:  statement: delete from a /*{'x' * 5_000_000}*/\n" + entry("b"))

    assert ["DELETE b"] == rounds(follows, 20)[0]
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size + log_files.BEHIND_BYTES_MAX + 1)
    append(log, "\n" + entry("c"))
    assert ["DELETE c"] == rounds(follows, 20)[0]
    counted = telemetry.exposition()[0].decode()
    assert 'aftershock_dropped_total{reason="log_record_too_long"} 1.0' in counted
    assert 'reason="log_bytes_behind"' in counted


def test_a_file_that_is_not_there_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    follows = follower(tmp_path / "nothing.log")

    assert rounds(follows, 20) == ([], Places())
    assert 1 == caplog.text.count("nothing.log cannot be followed: no such file")


def test_what_a_followed_log_shows_is_a_target_or_certain_damage(tmp_path: Path) -> None:
    log = tmp_path / "pg.log"
    log.touch()
    infrastructure = Infrastructure(
        logs=(LogFiles(str(log), "postgresql", {}),), deleted_rows_max=100
    )
    config = Config(
        home=tmp_path / "home", http=ANY, grpc=ANY, tick_s=0.05, infrastructure=infrastructure
    )
    now_ns = time.time_ns()

    def certain() -> Sequence[Impact]:
        with Reader.open(config.store) as reader:
            return [each for each in reader.impacts_named("") if each.label == "certain"]

    def audited(rows: int) -> str:
        written = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()) + ".900 UTC"
        audit = f"AUDIT: SESSION,1,1,WRITE,DELETE,,,delete from orders /*traceparent='{PARENT}'*/"
        return f"{written} [7] shop@orders LOG:  {audit},<not logged>,{rows}\n"

    async def live() -> None:
        async with running(config) as collector, httpx.AsyncClient() as client:
            await asyncio.sleep(0.5)
            append(log, audited(1))  # overtakes the agent's own span
            await asyncio.sleep(0.5)
            body = span_request([tool_span(now_ns - S, "cleanup", "write", SPAN)])
            url = f"http://{collector.http}/v1/traces"
            await client.post(url, content=body, headers=PROTOBUF)
            await asyncio.to_thread(eventually, lambda: stored(config))
            assert not certain()
            append(log, audited(1_200))
            await asyncio.to_thread(eventually, certain)

    asyncio.run(live())
    (impact,) = certain()
    assert ("cleanup", SPAN, "db/orders") == (impact.tool, impact.span_id, impact.entity)
    assert impact.change is not None
    assert ("DELETE orders", "deleted 1,200 rows") == (impact.change.name, impact.change.detail)


def stored(config: Config) -> list[str]:
    with Reader.open(config.store) as reader:
        return [change.name for change in reader.changes(0, time.time_ns() + 10 * S)]
