# ruff: noqa: INP001 (a folder on the module search path, not a package)
"""Runs in every Python process under `aftershock run`, before the program's first line."""

import os
import sys


def begin() -> None:
    """Begin to record, or say in one line why not. The program runs either way."""
    try:
        from aftershock.recorder.instrumentors import wait_for_agents  # noqa: PLC0415

        wait_for_agents(start)
    except ModuleNotFoundError as error:
        report(f"{error.name} is not installed for it; {sys.executable} -m pip install aftershock")
    except Exception as error:  # noqa: BLE001 (whatever is wrong with us, the program must run)
        report(repr(error))


def report(why: str) -> None:
    """Say that this process is not recorded."""
    sys.stderr.write(f"aftershock: {sys.executable} is not recorded: {why}\n")


def start() -> None:
    """There is an agent in this process: begin."""
    from aftershock.recorder import providers  # noqa: PLC0415 (100 ms, for agents only)

    providers.start()


def run_the_next_one() -> None:
    """Run the sitecustomize that this one hides, if there is one."""
    from importlib.machinery import PathFinder  # noqa: PLC0415
    from importlib.util import module_from_spec  # noqa: PLC0415

    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 (pathlib costs 10 ms)
    path = [place for place in sys.path if os.path.abspath(place) != here]  # noqa: PTH100
    spec = PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


begin()
run_the_next_one()
