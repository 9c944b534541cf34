"""The operations team's service: the database's connections and the maintenance calendar.

An exporter of the orders database (`/metrics`, `/connections`) and
the calendar (`/maintenance`). `python -m aftershock_collector.demo.operations --database ADDRESS`.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aftershock_collector.demo import orders
from aftershock_collector.demo.processes import announce, stop_event
from aftershock_collector.demo.serving import application, metrics_route, served


class DatabaseCollector(Collector):
    """One connection of the administrator's, asked at every scrape."""

    def __init__(self, address: str) -> None:
        self.database = orders.connect(address)
        self.lock = threading.Lock()

    def read(self) -> orders.Use:
        """What applications use now."""
        with self.lock:
            return self.database.use()

    def collect(self) -> Iterable[Metric]:
        """The same as metrics."""
        use = self.read()
        gauge, counter = GaugeMetricFamily, CounterMetricFamily
        yield gauge("db_connections_in_use", "Of applications", value=use.connections)
        yield gauge("db_connections_max", "For applications", value=use.connections_max)
        yield counter("db_sessions_started", "Connections opened", value=use.sessions)
        yield counter("db_transactions", "Transactions ended", value=use.transactions)

    def show(self, _request: Request) -> Response:
        """The same for people and agents."""
        use = self.read()
        return JSONResponse(
            {
                "database": "orders",
                "connections_max": use.connections_max,
                "connections_used": use.connections,
            }
        )


class Calendar:
    """Maintenance windows of production: one is open, or the next one is days away."""

    def __init__(self, now: datetime, *, is_open: bool) -> None:
        self.begins = now - timedelta(minutes=20) if is_open else now + timedelta(days=3)
        self.ends = self.begins + timedelta(hours=2)
        self.is_open = is_open

    def show(self, request: Request) -> Response:
        """The window that is open, or the next one."""
        return JSONResponse(
            {
                "environment": request.query_params["environment"],
                "open": self.is_open,
                "begins": self.begins.isoformat(timespec="minutes"),
                "ends": self.ends.isoformat(timespec="minutes"),
                "what": "orders database: smaller instance during storage migration, no scaling",
            }
        )


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True, help="the administrator's address")
    parser.add_argument("--window", choices=("open", "later"), default="later")
    options = parser.parse_args()
    stopped = stop_event()
    registry = CollectorRegistry()
    database = DatabaseCollector(options.database)
    registry.register(database)
    calendar = Calendar(datetime.now(UTC), is_open=options.window == "open")
    app = application(
        [
            Route("/connections", database.show),
            Route("/maintenance", calendar.show),
            metrics_route(registry),
        ]
    )
    with served(app) as url:
        announce(admin=url)
        stopped.wait()


if __name__ == "__main__":
    main()
