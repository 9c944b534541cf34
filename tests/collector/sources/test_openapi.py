"""The published description of the HTTP API has every route, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from starlette.routing import Route

from aftershock_collector.config.model import Address, Config
from aftershock_collector.service import wiring
from aftershock_collector.sources import otlp_http
from aftershock_collector.sources.openapi import document

HERE = Address("127.0.0.1", 0)


def served(app: Any) -> Iterator[tuple[str, str]]:
    """(method, path) of every route behind the gate."""
    for route in app._app.routes:
        assert isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}:
            yield method.lower(), route.path_format


def test_every_route_is_described_and_every_description_is_served(
    tmp_path: Path, monkeypatch: Any
) -> None:
    apps: list[Any] = []
    made = otlp_http.otlp_app

    def remembered(*given: Any, **named: Any) -> Any:
        apps.append(made(*given, **named))
        return apps[-1]

    monkeypatch.setattr(otlp_http, "otlp_app", remembered)

    async def ask() -> Any:
        config = Config(tmp_path, http=HERE, grpc=HERE)
        async with wiring.running(config) as up, httpx.AsyncClient() as client:
            answer = await client.get(f"http://{up.http}/openapi.json")
            return answer.raise_for_status().json()

    published = asyncio.run(ask())

    described = {(m, path) for path, methods in published["paths"].items() for m in methods}
    assert described == set(served(apps[0]))
    assert published == document()
