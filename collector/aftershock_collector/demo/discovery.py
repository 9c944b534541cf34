"""Where the shop is measured, in the file that Prometheus and others look for targets in."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aftershock_collector.demo.infrastructure import Shop

FILE = "aftershock-demo.json"


@contextmanager
def discoverable(shop: Shop, folder: Path) -> Generator[None]:
    """The file is there while inside. Raises OSError where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    place, written = folder / FILE, folder / f".{FILE}.new"
    written.write_text(json.dumps(targets(shop)), encoding="utf-8")
    written.replace(place)  # whoever looks sees all of it or nothing
    try:
        yield
    finally:
        place.unlink(missing_ok=True)


def targets(shop: Shop) -> list[dict[str, Any]]:
    """One group for each service; `job` is the service.name, `database` the db.namespace."""
    listed = (
        (shop.checkout, {"job": "checkout"}),
        (shop.catalog, {"job": "catalog"}),
        (shop.operations, {"job": "operations", "database": "orders"}),
    )
    return [
        {"targets": [service["admin"].partition("://")[2]], "labels": labels}
        for service, labels in listed
    ]
