"""`python -m tests.fuzz`: coverage-guided fuzzing of every target, one after another.

The time is divided among the targets. Inputs that reached something new are kept in out/fuzz and
are where the next run begins; an input that fails is printed, and kept there too. Put it into
tests/fuzz/found/TARGET: the fast suite runs it from then on.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

OUT = Path("out/fuzz")
INPUT_BYTES_MAX = 20_000
INPUT_S_MAX = 5  # of one input; longer is a blow-up
MEMORY_MB_MAX = 1_024


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one target in this process; does not return."""
    import atheris  # not at the top: it has wheels for Linux only

    fuzzer: Any = atheris  # its parts are made when it is imported

    packages = ["aftershock", "aftershock_collector", "yaml", "prometheus_client"]
    with fuzzer.instrument_imports(include=packages):
        from tests.fuzz import seeds, targets

    corpus = OUT / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds.seeds_of(name):
        (corpus / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    arguments = [
        f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_S_MAX}",
        f"-rss_limit_mb={MEMORY_MB_MAX}", f"-artifact_prefix={OUT}/{name}-", "-verbosity=1",
        "-print_final_stats=1", str(corpus),
    ]  # fmt: skip
    fuzzer.Setup([name, *arguments], targets.TARGETS[name])
    fuzzer.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="of all targets together")
    parser.add_argument("--here", action="store_true", help="one target, in this process")
    options = parser.parse_args()
    if options.here:
        fuzz(options.targets[0], options.seconds)
    from tests.fuzz.targets import TARGETS  # not before: what is fuzzed is imported instrumented

    names: list[str] = options.targets or list(TARGETS)
    share = max(1, options.seconds // len(names))
    failed: list[str] = []
    OUT.mkdir(parents=True, exist_ok=True)
    for name in names:
        command = [sys.executable, "-m", "tests.fuzz", name, "--here", "--seconds", str(share)]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
        print(f"{name:15} {share:5} s  {executed(done.stderr)}", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout[-2_000:], done.stderr[-2_000:], done.returncode, flush=True)
    print(f"failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def executed(printed: str) -> str:
    """How many inputs were run and what was reached, as libFuzzer says it."""
    lines = printed.splitlines()
    done = next((x.split()[-1] for x in lines if "number_of_executed_units" in x), "?")
    covered = next((x for x in reversed(lines) if " cov: " in x), "")
    reached = covered.partition(" cov: ")[2].partition(" ")[0] or "?"
    return f"{done} inputs, {reached} branches reached"


if __name__ == "__main__":
    raise SystemExit(main())
