"""How much the figures of `make eval-rules` owe to the exact value of each limit.

Each limit is moved one step down and up, alone, and the bars are measured again. A limit whose
neighbours miss a bar by much stands on a cliff: its value was found in the data, not thought of.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

from aftershock.limits import Limits
from aftershock.policy.policy import Policy
from tests.evaluation.rules import Line, healthy_runs, research, trajectories
from tests.evaluation.splitting import WHOLE
from tests.evaluation.traces import data_folder

STEPS: dict[str, float] = {
    "repeats_warn": 1,
    "repeats_alarm": 1,
    "repeat_window_actions": 1,
    "loop_window_actions": 8,
    "similarity_min": 0.1,
    "retries_alarm": 1,
    "same_warn": 1,
    "same_alarm": 1,
    "cycle_period_max": 1,
    "cycle_rounds_alarm": 1,
    "cascade_tools_warn": 1,
    "cascade_tools_alarm": 1,
    "errors_warn": 1,
    "errors_alarm": 1,
    "errors_window_actions": 2,
}


def bars(limits: Limits) -> Iterator[Line]:
    """The figures that have a bar."""
    policy = Policy(limits=limits)
    for section in (trajectories, research, healthy_runs):
        yield from (line for line in section(policy, WHOLE) if line.met is not None)


def row(title: str, limits: Limits) -> str:
    """One line: every figure that has a bar, marked where it misses it."""
    figures = [f"{line.figure}{'' if line.met else ' ✗'}" for line in bars(limits)]
    return f"{title:<30} " + "  ".join(f"{figure:<22}" for figure in figures)


def main() -> int:
    """Print the table."""
    if not (data_folder() / "traces").is_dir():
        print(f"no recordings in {data_folder()}: set AFTERSHOCK_EVAL_DATA", file=sys.stderr)
        return 2
    limits = Limits()
    names = [line.name.partition(",")[0] for line in bars(limits)]
    print(" " * 31 + "  ".join(f"{name[:22]:<22}" for name in names))
    print(row("as shipped", limits), flush=True)
    for name, step in STEPS.items():
        value: float = getattr(limits, name)
        for moved in (value - step, value + step):
            kind = type(value)
            print(row(f"{name} {moved:g}", replace(limits, **{name: kind(moved)})), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
