"""The command's pages, as it prints them itself."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr, redirect_stdout

from aftershock_collector.cli import COMMANDS, main
from docs.markdown import block, table

WIDTH = "100"  # columns that help texts are wrapped to
# Commands that have commands of their own.
WITH_PARTS = {"policy": ("init",), "grafana": ("push",)}


def overview() -> str:
    """Every command with what it does."""
    rows = [(f"[`aftershock {c.name}`](#aftershock-{c.name})", c.says) for c in COMMANDS]
    return table(("Command", "What it does"), rows)


def page() -> str:
    """The help of every command."""
    made: list[str] = []
    for command in COMMANDS:
        made += [f"## aftershock {command.name}", block(help_of(command.name))]
        for part in WITH_PARTS.get(command.name, ()):
            made += [f"### aftershock {command.name} {part}", block(help_of(command.name, part))]
    return "\n\n".join(made)


def help_of(*words: str) -> str:
    """What `aftershock WORDS --help` prints."""
    printed = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            main([*words, "--help"])
    except SystemExit:
        pass  # that is how argparse ends after it printed help
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return printed.getvalue()
