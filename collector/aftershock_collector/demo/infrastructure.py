"""The shop of the demo: a database, two services, what watches them, and customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aftershock_collector.demo import postgres
from aftershock_collector.demo.processes import Child, Children, FailedError

WORKERS = 4
POOL_SIZE = 5  # of each worker: 4 × 5 = 20 connections at first, 12 × 5 = 60 after the scaling
CONNECTIONS_TIGHT = 37  # what the smaller instance leaves to applications during maintenance
CONNECTIONS_AMPLE = 97
CHECKOUTS_PER_S = 40
PAGES_PER_S = 20


@dataclass(frozen=True, slots=True)
class Shop:
    """Where everything listens: `url` for customers, `admin` for operators and scrapes."""

    database: str  # what kind it is
    checkout: Mapping[str, str]
    catalog: Mapping[str, str]
    operations: Mapping[str, str]


def open_database(children: Children, folder: Path, connections: int) -> tuple[str, str, str]:
    """Start the database: its kind, the shop's address and the administrator's.

    PostgreSQL where it is installed and starts, else SQLite with as many connections.
    """
    programs = postgres.find_programs()
    if programs is not None:
        server = postgres.Postgres(folder / "postgres", connections + postgres.RESERVED)
        try:
            server.start(children, programs)
        except FailedError as error:
            children.remark(f"falling back to SQLite: {error}")
        else:
            return "PostgreSQL", server.address, server.admin_address
    address = f"sqlite:{folder / 'orders.db'}?connections={connections + 1}"  # one to watch with
    return "SQLite", address, address


def open_shop(children: Children, folder: Path, *, tight: bool) -> Shop:
    """Start everything but the customers. Raises FailedError."""
    connections = CONNECTIONS_TIGHT if tight else CONNECTIONS_AMPLE
    kind, address, admin_address = open_database(children, folder, connections)
    window = "open" if tight else "later"
    started = (
        children.start_module(
            "checkout",
            *("--database", address),
            *("--workers", str(WORKERS)),
            *("--pool", str(POOL_SIZE)),
        ),
        children.start_module("catalog"),
        children.start_module("operations", "--database", admin_address, "--window", window),
    )
    return Shop(kind, *(service.addresses() for service in started))


def let_customers_in(children: Children, shop: Shop) -> Child:
    """Start the load on both services."""
    return children.start_module(
        "load",
        *("--target", f"checkout=POST={shop.checkout['url']}={CHECKOUTS_PER_S}"),
        *("--target", f"catalog=GET={shop.catalog['url']}={PAGES_PER_S}"),
    )
