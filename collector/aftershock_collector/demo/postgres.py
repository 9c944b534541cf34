"""A private PostgreSQL server on loopback, thrown away afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import psycopg

from aftershock_collector.demo.orders import SCHEMA
from aftershock_collector.demo.processes import Child, Children, FailedError

RESERVED = 3  # connections that only the administrator gets, as PostgreSQL does by default
PLAIN = "?sslmode=disable&gssencmode=disable"  # it is our own, on loopback
START_TIMEOUT_S = 30.0
# What a person or an agent does is logged with its plan, which says how many rows it changed; what
# the shop does is not.
DEVELOPER = (
    "CREATE ROLE developer LOGIN IN ROLE shop",
    "ALTER ROLE developer SET log_min_duration_statement = 0",
    "ALTER ROLE developer SET session_preload_libraries = 'auto_explain'",
    "ALTER ROLE developer SET auto_explain.log_min_duration = 0",
    "ALTER ROLE developer SET auto_explain.log_analyze = on",
)
NEEDED = (
    "install PostgreSQL with its server, its client psql and its contrib modules,"
    " such as the package postgresql of Debian and Ubuntu"
)
PLACES = ("/usr/lib/postgresql", "/usr/local", "/opt/homebrew/opt", "/usr", "/opt")


class Postgres:
    """A server of our own: `address` for the shop, `admin_address` for whoever watches.

    `explains`: its log says what developers do, and how many rows that changes.
    """

    def __init__(self, folder: Path, connections_max: int, *, explains: bool = False) -> None:
        self.explains = explains
        self.folder = folder
        self.connections_max = connections_max
        self.port = free_port()

    @property
    def admin_address(self) -> str:
        """For the exporter: may use the reserved connections."""
        return f"postgresql://aftershock@127.0.0.1:{self.port}/orders{PLAIN}"

    @property
    def address(self) -> str:
        """For the shop: an ordinary user."""
        return f"postgresql://shop@127.0.0.1:{self.port}/orders{PLAIN}"

    def start(self, children: Children, programs: Path) -> None:
        """Make the files, start the server, create the shop's database. Raises FailedError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        as_user = unprivileged(self.folder)
        data = self.folder / "data"
        create = [str(programs / "initdb"), "--pgdata", str(data), "--username", "aftershock"]
        create += ["--auth", "trust", "--no-locale", "--encoding", "UTF8", "--no-sync"]
        made = children.start("initdb", create, **as_user)
        if made.wait_for_end(START_TIMEOUT_S) != 0:
            raise FailedError(f"initdb failed.\n{made.last_words()}")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": self.connections_max,
            "superuser_reserved_connections": RESERVED,
            "shared_buffers": "16MB",
            "fsync": "off",  # it is thrown away afterwards
            "max_wal_senders": 0,
            "wal_level": "minimal",
            "log_line_prefix": "%m [%p] %q%u@%d %a ",
            "log_timezone": "UTC",
        }
        command = [str(programs / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.create_database(children.start("postgres", command, **as_user))

    def create_database(self, server: Child) -> None:
        """Wait until the server answers, then create what the shop needs."""
        deadline = time.monotonic() + START_TIMEOUT_S
        address = f"postgresql://aftershock@127.0.0.1:{self.port}/postgres{PLAIN}"
        while True:
            try:
                with psycopg.connect(address, autocommit=True, connect_timeout=2) as admin:
                    admin.execute("CREATE ROLE shop LOGIN")
                    admin.execute("CREATE DATABASE orders OWNER shop")
                    if self.explains:
                        admin.execute("LOAD 'auto_explain'")
                        for statement in DEVELOPER:
                            admin.execute(statement.encode())
                break
            except psycopg.errors.UndefinedFile as error:
                raise FailedError(f"PostgreSQL lacks auto_explain: {NEEDED}") from error
            except psycopg.OperationalError as error:
                if not server.running or time.monotonic() > deadline:
                    words = server.last_words()
                    raise FailedError(f"PostgreSQL did not start: {error}\n{words}") from error
                time.sleep(0.05)
        with psycopg.connect(self.address) as shop:
            for statement in SCHEMA:
                shop.execute(statement.encode())


def find_programs() -> Path | None:
    """The newest folder that holds the server's programs, if PostgreSQL is installed."""
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    folders = (
        program.parent
        for place in PLACES
        for pattern in ("bin/postgres", "*/bin/postgres")
        for program in Path(place).glob(pattern)
    )
    return max((f for f in folders if (f / "initdb").exists()), default=None, key=str)


def find_client(programs: Path) -> Path | None:
    """The folder that holds psql, if it is installed."""
    found = shutil.which("psql", path=f"{programs}{os.pathsep}{os.environ.get('PATH', '')}")
    return None if found is None else Path(found).parent


def unprivileged(folder: Path) -> dict[str, Any]:
    """How to start the server, which refuses root: as somebody else, who gets the folder."""
    if os.geteuid() != 0:
        return {"cwd": folder}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = next((name for name in ("postgres", "nobody") if name in names), None)
    if user is None:
        raise FailedError("PostgreSQL refuses root, and there is no user to run it as")
    shutil.chown(folder, user)
    return {"cwd": folder, "user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
