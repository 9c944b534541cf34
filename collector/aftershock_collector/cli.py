"""The command `aftershock`: finds the subcommand, runs it, turns what went wrong into one line.

`aftershock run` and `exec` need the base dependencies only. Everything else is imported when it is
asked for, and says what to install where the extra is missing.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from aftershock_collector.commands import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "aftershock"
DESCRIPTION = (
    "Records what AI agents decide and do, lays it beside what the infrastructure did, "
    "and tells the person on call whether the agent did it."
)
START = """\
start here:
  aftershock demo                      watch an incident happen, for real, in two minutes
  aftershock up                        run the collector
  aftershock run python your_agent.py  record an agent, without a change to its code
"""
OURS = {"aftershock", "aftershock_collector"}
# Commands that read their own arguments, and start as fast as what they start.
LIGHT = {
    "run": "aftershock.recorder.launcher",
    "exec": "aftershock.recorder.execute",
    "gate": "aftershock.guard.hook",
    "mcp-proxy": "aftershock.proxy.command",
}
RENAMED = {"verdict": "feedback"}  # until 0.3
INTERRUPTED = 130  # what a shell answers for Ctrl-C


class Command(NamedTuple):
    """One subcommand; its module has `add(parser)` and `main(arguments) -> int`."""

    name: str
    module: str
    says: str
    extra: str = "collector"


COMMANDS = (
    Command("run", "", "start a program with its agents recorded"),
    Command("exec", "", "run one command recorded as an action: kubectl, terraform, psql, …"),
    Command("gate", "", "answer the hook of a coding agent before it calls a tool"),
    Command("mcp-proxy", "", "record and hold back what an MCP client calls", "proxy"),
    Command("up", "up", "run the collector on this machine"),
    Command("doctor", "doctor", "examine what could keep pages from being sent"),
    Command("send-test-page", "send_test_page", "send a page through every receiver"),
    Command("check", "check", "check aftershock.yaml, with line numbers"),
    Command("forget", "forget", "remove a run, or everything about a subject"),
    Command("token", "token", "create, list and revoke the tokens of senders and readers"),
    Command("connect", "connect", "let a coding agent send its telemetry here"),
    Command("import", "importing", "read recorded traces from files"),
    Command("runs", "runs", "list what agents did"),
    Command("timeline", "timeline", "show one run or several, with findings and infrastructure"),
    Command("findings", "findings", "list what was found"),
    Command("incidents", "incidents", "list what people were paged about, or show one incident"),
    Command("ack", "ack", "acknowledge an incident: somebody works on it"),
    Command("snooze", "snooze", "let an incident page no one for some time"),
    Command("mute", "mute", "let findings of an agent, a rule or a tool page no one"),
    Command("stop", "stop", "let a run, an agent or all agents call no further tool"),
    Command("pause", "pause", "hold calls of a run, an agent or all agents at their gate"),
    Command("resume", "resume", "end what stop or pause ordered"),
    Command("approvals", "approvals", "list what agents wait for, and approve or deny it"),
    Command("canary", "canary", "list the steps of rollouts, and let a stopped one go on"),
    Command("why", "why", "show the evidence of one finding"),
    Command("policy", "policy", "write a first aftershock.yaml from past runs"),
    Command("backtest", "backtest", "try another policy or limit on past runs"),
    Command(
        "impact", "impact", "show what one action changed, with its chart and the alternatives"
    ),
    Command("suspects", "suspects", "show the agent actions that may be behind an alert"),
    Command("feedback", "feedback", "say what was behind a finding, and close it"),
    Command("grafana", "grafana", "put the dashboards into a Grafana"),
    Command("demo", "demo", "play a real incident on this machine", "demo"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 done, 1 it did not work, 2 it was called wrongly."""
    given = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter still gets text
    if given and (module := LIGHT.get(given[0])):
        return import_module(module).main(given[1:])
    if given and (new_name := RENAMED.get(given[0])):
        sys.stderr.write(f"{PROGRAM} {given[0]} is now {PROGRAM} {new_name}\n")
        given[0] = new_name
    if given[:1] == ["help"]:
        given = [*given[1:2], "--help"]
    command = next((c for c in COMMANDS if given[:1] == [c.name]), None)
    if command is None:
        return without_command(given)
    if argv is None:
        use_installation_key()
    return guarded(command, given[1:])


def guarded(command: Command, given: Sequence[str]) -> int:
    """Run one command; what goes wrong becomes one line and an exit code."""
    try:
        use_time_zone()
        code = start(command, given)
        sys.stdout.flush()
    except CommandError as error:
        sys.stderr.write(f"{PROGRAM} {command.name}: {error}\n")
        return 2 if isinstance(error, UsageError) else 1
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in OURS:
            raise
        sys.stderr.write(missing(command, error.name or "a package"))
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`): what is still buffered must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def use_installation_key() -> None:
    """Compare fingerprints as the collector on this machine does, where it has a key."""
    from aftershock.fingerprints.keyed import use_key  # noqa: PLC0415  light
    from aftershock.recorder import fingerprint_key as keys  # noqa: PLC0415  light

    try:
        key = keys.configured(os.environ) or keys.read(keys.home(os.environ) / keys.FILE_NAME)
        use_key(key or b"")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{PROGRAM}: fingerprints of other processes do not compare: {error}\n")


def use_time_zone() -> None:
    """Print times in the zone that the environment names; `up` reads the file as well."""
    if timezone := os.environ.get("AFTERSHOCK_TIMEZONE"):
        from aftershock_collector.config.on_call import zone_of  # noqa: PLC0415  light
        from aftershock_collector.wording import use_zone  # noqa: PLC0415  light

        try:
            use_zone(zone_of(timezone))
        except ValueError as error:
            raise UsageError(f"AFTERSHOCK_TIMEZONE: {error}") from error


def start(command: Command, given: Sequence[str]) -> int:
    """Import the command's module, read its arguments, run it."""
    module = import_module(f"aftershock_collector.commands.{command.module}")
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} {command.name}", description=f"{command.says.capitalize()}."
    )
    module.add(parser)
    return module.main(parser.parse_args(given))


def without_command(given: Sequence[str]) -> int:
    """Help, the version, or what is wrong with the command line."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=START,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    listed = parser.add_subparsers(metavar="COMMAND", title="commands")
    for command in COMMANDS:
        listed.add_parser(command.name, help=command.says, add_help=False)
    if not given:
        parser.print_help()
        return 2
    if parser.parse_args(given).version:
        from aftershock.version import VERSION  # noqa: PLC0415  (reads the installed metadata)

        sys.stdout.write(f"{PROGRAM} {VERSION}\n")
    return 0


def missing(command: Command, package: str) -> str:
    """What to install for a command whose packages are not there."""
    return (
        f"{PROGRAM} {command.name}: {package} is not installed: this command needs more than an "
        f"agent does; run: pip install 'aftershock[{command.extra}]'\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
