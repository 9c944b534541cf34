"""A connection to the orders database, PostgreSQL or (where that is missing) SQLite."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import parse_qs, urlsplit

import psycopg

CONNECT_TIMEOUT_S = 3
CUSTOMERS = 500  # with the numbers from 0 to 499
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, email TEXT, confirmed_at TEXT)",
    "CREATE TABLE IF NOT EXISTS orders (customer INTEGER, product INTEGER, amount INTEGER)",
    "CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer)",
    # E-mail addresses are confirmed since last week only: most customers are older than that.
    (
        "INSERT INTO customers"
        " WITH RECURSIVE n (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM n WHERE id < 499)"
        " SELECT id, 'customer-' || id || '@example.com',"
        " CASE WHEN id % 12 = 0 THEN '2026-01-05' END"
        " FROM n WHERE NOT EXISTS (SELECT 1 FROM customers)"
    ),
)
PLACE = "INSERT INTO orders SELECT id, {0}, {0} FROM customers WHERE id = {0}"


class RefusedError(Exception):
    """The database did not give us a connection."""


class UnknownCustomerError(Exception):
    """Who is signed in is not among the customers."""


class Use(NamedTuple):
    """What applications do with the database."""

    connections: int
    connections_max: int
    sessions: int  # ever opened
    transactions: int  # ever ended


class Orders(Protocol):
    """What the demo asks of its database."""

    def place(self, customer: int, product: int, amount: int) -> int:
        """Store one order; returns what the customer has spent so far.

        Raises UnknownCustomerError.
        """
        ...

    def use(self) -> Use:
        """What applications use now, without this connection."""
        ...

    def close(self) -> None:
        """Give the connection back to the database."""
        ...


def connect(address: str) -> Orders:
    """Open one connection. Raises RefusedError where the database has none left."""
    if address.startswith("sqlite:"):
        return SqliteOrders(address)
    return PostgresOrders(address)


class PostgresOrders:
    """One backend process of PostgreSQL."""

    def __init__(self, address: str) -> None:
        try:
            self.connection = psycopg.connect(
                address, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S
            )
        except psycopg.OperationalError as error:
            raise RefusedError(str(error).strip()) from error

    def place(self, customer: int, product: int, amount: int) -> int:
        """Store one order; returns what the customer has spent so far."""
        with self.connection.transaction():
            stored = self.connection.execute(PLACE.format("%s"), (product, amount, customer))
            if not stored.rowcount:
                raise UnknownCustomerError(f"customer {customer} does not exist")
            spent = self.connection.execute(
                "SELECT sum(amount) FROM orders WHERE customer = %s", (customer,)
            ).fetchone()
        return int(spent[0]) if spent else 0

    def use(self) -> Use:
        """What applications use now, without this connection."""
        row = self.connection.execute(
            "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()), current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int,"
            " sessions, xact_commit + xact_rollback"
            " FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        assert row is not None
        return Use(*row)

    def close(self) -> None:
        """End the backend process."""
        self.connection.close()


class SqliteOrders:
    """One of a limited number of connections to a SQLite file: each holds a lock on a slot.

    The address is `sqlite:<file>?connections=<limit>`. Slots are file locks, so that a process
    that dies gives its connections back, as a database server would notice.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.file = Path(parts.path)
        self.limit = int(parse_qs(parts.query)["connections"][0])
        self.slot: int | None = None
        for number in range(self.limit):
            self.slot = self.lock_slot(number)
            if self.slot is not None:
                break
        else:
            raise RefusedError(f"all {self.limit} connections are in use")
        self.connection = sqlite3.connect(
            self.file, timeout=CONNECT_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = OFF")
        for statement in (*SCHEMA, "CREATE TABLE IF NOT EXISTS sessions (began TEXT)"):
            self.connection.execute(statement)
        self.connection.execute("INSERT INTO sessions VALUES (CURRENT_TIMESTAMP)")

    def lock_slot(self, number: int) -> int | None:
        """Lock one slot; None where somebody else has it."""
        descriptor = os.open(f"{self.file}.slot-{number}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def place(self, customer: int, product: int, amount: int) -> int:
        """Store one order; returns what the customer has spent so far."""
        self.connection.execute("BEGIN IMMEDIATE")
        stored = self.connection.execute(PLACE.format("?"), (product, amount, customer))
        if not stored.rowcount:
            self.connection.execute("ROLLBACK")
            raise UnknownCustomerError(f"customer {customer} does not exist")
        spent = self.connection.execute(
            "SELECT sum(amount) FROM orders WHERE customer = ?", (customer,)
        ).fetchone()
        self.connection.execute("COMMIT")
        return int(spent[0])

    def use(self) -> Use:
        """What applications use now, without this connection."""
        free = [
            slot for number in range(self.limit) if (slot := self.lock_slot(number)) is not None
        ]
        for slot in free:
            os.close(slot)
        counted = self.connection.execute(
            "SELECT (SELECT max(rowid) FROM sessions), coalesce((SELECT max(rowid) FROM orders), 0)"
        ).fetchone()
        return Use(self.limit - len(free) - 1, self.limit - 1, *counted)  # one is ours

    def close(self) -> None:
        """Free the slot."""
        self.connection.close()
        if self.slot is not None:
            os.close(self.slot)
            self.slot = None
