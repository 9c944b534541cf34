"""One file per subcommand of `aftershock`, each with `add(parser)` and `main(arguments)`."""

from __future__ import annotations


class CommandError(Exception):
    """What went wrong, where, and what to do about it, in one line. The exit code is 1."""


class UsageError(CommandError):
    """The command was called wrongly. The exit code is 2."""
