"""The command `aftershock` in the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from aftershock_collector import cli

Main = Callable[..., tuple[int, str, str]]


def printed_data(main: Main, *argv: str) -> Any:
    """The `data` of what a command prints with --json."""
    code, out, err = main(*argv, "--json")
    assert code == 0, err
    document = json.loads(out)
    schema().validate(document)
    return document["data"]


@cache
def schema() -> Any:
    """The published schema of everything that is printed with --json."""
    place = Path(__file__).parents[2] / "docs" / "reference" / "output.schema.json"
    return Draft202012Validator(json.loads(place.read_text(encoding="utf-8")))


def run_main(capsys: Any, *argv: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of one command."""
    capsys.readouterr()
    try:
        code = cli.main(argv)
    except SystemExit as ended:  # argparse, for --help and for wrong calls
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    return code, out, err
