"""`aftershock resume`: see `stop`."""

from __future__ import annotations

import argparse

from aftershock.gate.orders import Verb
from aftershock_collector.commands import stop

add = stop.add


def main(arguments: argparse.Namespace) -> int:
    """Give the order."""
    return stop.give(arguments, Verb.RESUME)
