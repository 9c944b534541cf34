"""One worker process of the checkout service: stores orders through its own connection pool."""

from __future__ import annotations

import multiprocessing
import random
import signal
import socket
import threading
import time
from functools import partial
from multiprocessing.synchronize import Event

from prometheus_client import Counter, Gauge, Histogram
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aftershock_collector.demo import orders
from aftershock_collector.demo.pool import Pool, PoolTimeoutError
from aftershock_collector.demo.serving import application, served

PAYMENT_MEDIAN_S = 0.06  # the card network: this and its tail are what checkout's p95 is made of
PAYMENT_SIGMA = 0.5
POOL_WAIT_S = 1.0
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5)

DURATION = Histogram("http_request_duration_seconds", "Time to answer", ["route"], buckets=BUCKETS)
REQUESTS = Counter("http_requests_total", "Requests answered", ["route", "code"])
IN_USE = Gauge(
    "db_pool_connections_in_use", "Connections held by requests", multiprocess_mode="livesum"
)
TIMEOUTS = Counter("db_pool_timeouts_total", "Requests that got no connection in time")
UNKNOWN = Counter("checkout_unknown_customers_total", "Orders of customers that are not stored")
REFUSED = Counter("db_connect_refused_total", "Connections that the database refused")


def check_out(pool: Pool, _request: Request) -> Response:
    """Authorise the payment and store the order, on one connection."""
    began = time.perf_counter()
    try:
        with pool.connection() as connection:
            IN_USE.set(pool.in_use)
            time.sleep(random.lognormvariate(0, PAYMENT_SIGMA) * PAYMENT_MEDIAN_S)
            spent = place_order(connection)
        if spent is None:
            UNKNOWN.inc()
            response = JSONResponse({"error": "this customer does not exist"}, 500)
        else:
            response = JSONResponse({"spent": spent})
    except PoolTimeoutError as error:
        TIMEOUTS.inc()
        response = JSONResponse({"error": str(error)}, 503)
    IN_USE.set(pool.in_use)
    DURATION.labels("/checkout").observe(time.perf_counter() - began)
    REQUESTS.labels("/checkout", str(response.status_code)).inc()
    return response


def place_order(connection: orders.Orders) -> int | None:
    """One order of somebody who is signed in; None where no such customer exists any more."""
    try:
        return connection.place(random.randrange(orders.CUSTOMERS), random.randrange(50), 100)
    except orders.UnknownCustomerError:
        return None


def serve(listener: socket.socket, address: str, pool_size: int, ready: Event) -> None:
    """Open the pool and answer requests until SIGTERM, or until the service has ended."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopped.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service decides when a worker ends
    connect = partial(orders.connect, address)
    pool = Pool(connect, pool_size, POOL_WAIT_S, REFUSED.inc)
    parent = multiprocessing.parent_process()
    app = application([Route("/checkout", partial(check_out, pool), methods=["POST"])])
    with served(app, listener):
        while not stopped.wait(0.2):
            if pool.complete:
                ready.set()
            if parent is None or not parent.is_alive():
                break
    pool.close()
