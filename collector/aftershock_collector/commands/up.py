"""`aftershock up`: the collector on this machine, until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from aftershock.fingerprints.keyed import use_key
from aftershock.recorder import fingerprint_key
from aftershock_collector.access.exposure import Exposed, notice
from aftershock_collector.access.tls import TlsError
from aftershock_collector.access.tokens import TokenError
from aftershock_collector.commands import CommandError
from aftershock_collector.config import load
from aftershock_collector.config.load import ConfigurationError
from aftershock_collector.config.model import HOME_VARIABLE, Config
from aftershock_collector.config.on_call import zone_of
from aftershock_collector.notify.receivers import paging, unpaged
from aftershock_collector.service import wiring
from aftershock_collector.service.ports import obstacle
from aftershock_collector.service.signing_in import SignInUnavailable
from aftershock_collector.service.wiring import Running
from aftershock_collector.store.interface import StoreRefused, StoreUnavailable
from aftershock_collector.wording import counted, use_zone


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE",
        help="default: what AFTERSHOCK_POLICY names, else aftershock.yaml here",
    )  # fmt: skip


def main(arguments: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for noisy in ("httpx", "httpcore", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    config = configured(arguments.config)
    use_zone(zone_of(config.on_call.timezone))
    try:
        config.home.mkdir(parents=True, exist_ok=True)
        use_key(fingerprint_key.configured(os.environ) or fingerprint_key.create(config.home))
    except ValueError as error:
        raise CommandError(f"{fingerprint_key.KEY_VARIABLE}: {error}") from error
    except OSError as error:
        raise CommandError(
            f"{config.home} cannot be created: {error.strerror or error}; set {HOME_VARIABLE}"
        ) from error
    for name, address in (("http", config.http), ("grpc", config.grpc)):
        if problem := obstacle(address):
            raise CommandError(
                f"collector.{name}: {address} {problem}; set collector.{name} in aftershock.yaml, "
                f"or AFTERSHOCK_{name.upper()}"
            )
    try:
        asyncio.run(wiring.serve(config, lambda running: announce(config, running)))
    except (StoreRefused, StoreUnavailable) as error:
        raise CommandError(f"{config.store} cannot be used: {error}") from error
    except (Exposed, SignInUnavailable, TlsError, TokenError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{error.filename or config.home}: {error.strerror or error}") from error
    return 0


def configured(place: Path | None) -> Config:
    """The configuration. Raises CommandError with the first problem and the number of others."""
    try:
        return load.load(place, os.environ)
    except ConfigurationError as error:
        first, *others = error.problems
        more = counted(len(others), "further problem")
        tail = f" ({more}; see `aftershock check`)" if others else ""
        raise CommandError(f"{first}{tail}") from error


def announce(config: Config, running: Running) -> None:
    """Where it listens, where it keeps things, and which receivers it pages."""
    infrastructure = config.infrastructure
    measured = [counted(len(infrastructure.scrape), "scrape target")]
    measured += ["this host"] if infrastructure.host else []
    asked = infrastructure.prometheus
    measured += [f"what {urlsplit(asked.url).netloc.rpartition('@')[2]} answers"] if asked else []
    lines = (
        ("listening", f"OTLP/HTTP http://{running.http}, OTLP/gRPC {running.grpc}"),
        ("state", str(config.store)),
        ("measuring", ", ".join(measured)),
        ("on call", unpaged(config.on_call) or ", ".join(paging(config.on_call))),
        ("next", "aftershock run python your_agent.py"),
        *((("warning", warning),) if (warning := notice(config)) else ()),
    )
    for name, words in lines:
        sys.stdout.write(f"{name:>10}  {words}\n")
    sys.stdout.flush()
