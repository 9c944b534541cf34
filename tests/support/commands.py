"""The command `aftershock` in the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aftershock_collector import cli

Main = Callable[..., tuple[int, str, str]]


def printed_data(main: Main, *argv: str) -> Any:
    """The `data` of what a command prints with --json."""
    code, out, err = main(*argv, "--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["version"] == 2
    return document["data"]


def run_main(capsys: Any, *argv: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of one command."""
    capsys.readouterr()
    try:
        code = cli.main(argv)
    except SystemExit as ended:  # argparse, for --help and for wrong calls
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    return code, out, err
