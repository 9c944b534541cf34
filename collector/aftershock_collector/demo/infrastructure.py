"""The shop of the demo: a database, two services, what watches them, and customers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    developer: Mapping[str, str] = field(default_factory=dict[str, str])  # variables of psql


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
    return open_services(
        children, *open_database(children, folder, connections), "open" if tight else "later"
    )


def open_shop_for_developers(children: Children, folder: Path) -> Shop:
    """The same with a PostgreSQL that logs what developers do with psql. Raises FailedError."""
    programs = postgres.find_programs()
    client = None if programs is None else postgres.find_client(programs)
    if programs is None or client is None:
        raise FailedError(f"a real PostgreSQL is needed: {postgres.NEEDED}")
    connections = CONNECTIONS_AMPLE + postgres.RESERVED
    server = postgres.Postgres(folder / "postgres", connections, explains=True)
    server.start(children, programs)
    shop = open_services(children, "PostgreSQL", server.address, server.admin_address, "later")
    variables = {
        "PATH": f"{client}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "developer",
    }  # fmt: skip
    return replace(shop, developer=variables)


def open_services(
    children: Children, kind: str, address: str, admin_address: str, window: str
) -> Shop:
    """Start the services of a shop whose database is there."""
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
