"""Real programs write the logs: PostgreSQL under `aftershock exec -- psql`, and nginx."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from aftershock.model import Change, ChangeKind
from aftershock_collector.config.model import LogFiles
from aftershock_collector.demo.postgres import find_programs, free_port, unprivileged
from aftershock_collector.sources.log_files import LogFollower
from aftershock_collector.telemetry import Telemetry
from tests.collector.service.test_suspects import SPAN, TRACE
from tests.support.otlp_sink import Sink
from tests.support.receiver import eventually

PARENT = f"00-{TRACE}-{SPAN}-01"
PROGRAMS = find_programs()
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
PLANS = "auto_explain.log_min_duration=0", "auto_explain.log_analyze=on"


@contextmanager
def started(command: list[str], **options: object) -> Generator[None]:
    process = subprocess.Popen(command, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload]
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def followed(log: Path, kind: str, changes: list[Change], entity: dict[str, str]) -> LogFollower:
    def deliver(_read: object) -> None:
        raise AssertionError("rounds are read by hand")

    files = [LogFiles(str(log), kind, entity)]
    follower = LogFollower(files, deliver, Telemetry(), clock=time.time_ns, deleted_rows_max=100)
    assert not changes
    return follower


def changes_of(follower: LogFollower, found: list[Change], count: int) -> list[Change]:
    def enough() -> bool:
        read = follower.read()
        found.extend(read.changes if read is not None else ())
        return len({change.id for change in found}) >= count

    eventually(enough, 20)
    return found


@pytest.mark.slow
@pytest.mark.skipif(PROGRAMS is None or not shutil.which("psql"), reason="PostgreSQL is missing")
@pytest.mark.parametrize(("ending", "destination"), [("log", "stderr"), ("csv", "csvlog")])
def test_rows_that_psql_deletes_are_certain_damage_of_the_call(
    tmp_path: Path, ending: str, destination: str
) -> None:
    assert PROGRAMS is not None
    folder = tmp_path / "server"
    folder.mkdir()
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(0o711)
    user = unprivileged(folder)
    data, port = folder / "data", free_port()
    create = [f"{PROGRAMS}/initdb", "-D", str(data), "-U", "shop", "--auth", "trust", "--no-sync"]
    subprocess.run(create, check=True, capture_output=True, **user)
    settings = (
        "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off",
        "logging_collector=on", f"log_directory={folder}", "log_filename=pg.log",
        "log_file_mode=0644", f"log_destination={destination}", "log_min_duration_statement=0",
        "log_line_prefix=%m [%p] %q%u@%d %a ", "shared_preload_libraries=auto_explain", *PLANS,
    )  # fmt: skip
    server = [f"{PROGRAMS}/postgres", "-D", str(data), "-p", str(port)]
    server += [word for setting in settings for word in ("-c", setting)]
    psql = ["psql", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "shop", "postgres", "-c"]
    fill = "create table orders as select generate_series(1, 1200) as id"

    def ready() -> bool:
        return subprocess.run([*psql, fill], check=False, capture_output=True).returncode == 0

    with started(server, **user), Sink() as sink:
        eventually(ready, 30)
        found: list[Change] = []
        follower = followed(folder / f"pg.{ending}", "postgresql", found, {})
        follower.read()  # what came before is the past
        environment = {
            **os.environ, "TRACEPARENT": PARENT, "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
        }  # fmt: skip
        run = [sys.executable, "-m", "aftershock_collector.cli", "exec", "--", *psql]
        subprocess.run([*run, "delete from orders where id > 0"], check=True, env=environment)
        subprocess.run([*run, "delete from nosuch"], check=False, env=environment)
        changes = changes_of(follower, found, 2)
        deleting = next(span for span in sink.spans if span.trace_id == TRACE)

    damage = [each for each in changes if each.kind is ChangeKind.WARNING]
    assert {("db/postgres", "DELETE orders", "deleted 1,200 rows")} == {
        (each.entity, each.name, each.detail) for each in damage
    }
    assert {(TRACE, deleting.span_id)} == {(each.trace_id, each.span_id) for each in damage}
    (mistaken,) = [each for each in changes if each.name == "DELETE nosuch"]
    assert ChangeKind.OPERATION is mistaken.kind
    assert mistaken.detail.startswith("failed: relation '…' does not exist")


CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{
  log_format traced '$remote_addr - $remote_user [$time_local] "$request" $status '
                    '$body_bytes_sent "$http_referer" "$http_user_agent" "$http_traceparent"';
  access_log {folder}/access.log traced;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location /broken {{ return 503; }} location / {{ return 200; }} }}
}}
"""


@pytest.mark.slow
@pytest.mark.skipif(NGINX is None, reason="nginx is missing")
def test_what_nginx_answered_is_linked_and_vouched_for_by_nobody(tmp_path: Path) -> None:
    assert NGINX is not None
    port, place = free_port(), tmp_path / "nginx.conf"
    place.write_text(CONFIGURATION.format(folder=tmp_path, port=port), encoding="utf-8")
    (tmp_path / "access.log").touch()
    found: list[Change] = []
    follower = followed(tmp_path / "access.log", "http", found, {"service.name": "checkout"})
    follower.read()
    url, headers = f"http://127.0.0.1:{port}", {"traceparent": PARENT}

    def ready() -> bool:
        try:
            return httpx.get(url, trust_env=False).is_success
        except httpx.TransportError:
            return False

    with started([NGINX, "-c", str(place), "-p", str(tmp_path)]):
        eventually(ready, 20)
        httpx.post(f"{url}/carts/42?card=4111", headers=headers, trust_env=False)
        httpx.get(f"{url}/broken", headers=headers, trust_env=False)
        changes = changes_of(follower, found, 2)

    assert [
        ("service/checkout", "POST /carts/*", "", ChangeKind.OPERATION, SPAN, False),
        ("service/checkout", "GET /broken", "failed: HTTP status 503", ChangeKind.WARNING, SPAN, False),
    ] == [
        (each.entity, each.name, each.detail, each.kind, each.span_id, each.vouched)
        for each in changes
    ]  # fmt: skip
