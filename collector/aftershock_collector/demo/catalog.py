"""The catalog service: product pages from memory, with a cache whose lifetime can be set.

It does not know the orders database. `python -m aftershock_collector.demo.catalog`.
"""

from __future__ import annotations

import random
import threading
import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aftershock_collector.demo.processes import announce, stop_event
from aftershock_collector.demo.serving import application, metrics_route, served

RENDER_MEDIAN_S = 0.02
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2)


class Catalog:
    """Rendered pages, kept for `ttl_s` seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ttl_s = 60.0
        self.pages: dict[int, float] = {}
        self.lock = threading.Lock()
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Time to answer",
            ["route"],
            buckets=BUCKETS,
            registry=registry,
        )
        self.requests = Counter(
            "http_requests_total", "Requests answered", ["route", "code"], registry=registry
        )

    def show(self, _request: Request) -> Response:
        """A product's page: rendered, then remembered."""
        began = time.perf_counter()
        product = random.randrange(20_000)
        with self.lock:
            known = began - self.pages.get(product, -1e9) < self.ttl_s
        if not known:
            time.sleep(random.lognormvariate(0, 0.3) * RENDER_MEDIAN_S)
            with self.lock:
                self.pages[product] = began
        self.duration.labels("/product").observe(time.perf_counter() - began)
        self.requests.labels("/product", "200").inc()
        return JSONResponse({"product": product, "cached": known})

    def settings(self, _request: Request) -> Response:
        """The cache's settings."""
        return JSONResponse({"service": "catalog", "ttl_s": self.ttl_s, "pages": len(self.pages)})

    async def change(self, request: Request) -> Response:
        """Set the lifetime of a page."""
        self.ttl_s = float((await request.json())["ttl_s"])
        return JSONResponse({"service": "catalog", "ttl_s": self.ttl_s})


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    stopped = stop_event()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    catalog = Catalog(registry)
    app = application(
        [
            Route("/product", catalog.show),
            Route("/admin/cache", catalog.settings),
            Route("/admin/cache", catalog.change, methods=["POST"]),
            metrics_route(registry),
        ]
    )
    with served(app) as url:
        announce(url=f"{url}/product", admin=url)
        stopped.wait()


if __name__ == "__main__":
    main()
