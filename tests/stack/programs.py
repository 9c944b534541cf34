"""The real programs of the full stack: which, from where, built once and kept.

    python -m tests.stack.programs                 what there is, and where
    python -m tests.stack.programs build [NAME…]   build what is missing of all but the optional
    python -m tests.stack.programs path NAME       where a binary is

They are built from the Go module proxy into $XDG_CACHE_HOME (or ~/.cache)
/aftershock/programs/<name>-<version>/<binary>; a binary on PATH, say from a Debian package, is
taken where the cache has none.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.stack.grafana_sources import Grafana, build_grafana
from tests.stack.recipes import (
    BuildFailed,
    Distribution,
    Module,
    build_distribution,
    build_module,
    same_parts,
)

Recipe = Module | Distribution | Grafana

PROMETHEUS_VERSION = "github.com/prometheus/common/version.Version"
CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib"


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the stack and how to come by it.

    Attributes:
        debian: binary → its name in Debian's package, where that differs.
        minutes: one build took this long on two shared cores, downloads included.
        package: Debian's, which has the binaries as well.
        differs: why it is not the very release that compose runs; empty where it is.
        version_arguments: the arguments with which its binaries say their version.
        optional: built only when named.
    """

    name: str
    version: str
    binaries: tuple[str, ...]
    recipe: Recipe
    minutes: float
    package: str = ""
    debian: tuple[tuple[str, str], ...] = ()
    differs: str = ""
    version_arguments: tuple[str, ...] = ("--version",)
    optional: bool = False

    @property
    def folder(self) -> Path:
        return cache() / f"{self.name}-{self.version}"


PROGRAMS = (
    Program(
        name="alertmanager",
        version="0.34.2",
        binaries=("alertmanager", "amtool"),
        recipe=Module(
            path="github.com/prometheus/alertmanager",
            version="v0.34.2",
            packages={"alertmanager": "./cmd/alertmanager", "amtool": "./cmd/amtool"},
            says=PROMETHEUS_VERSION,
            placeholders=("ui/app/dist/index.html",),
        ),
        minutes=1.3,
        package="prometheus-alertmanager",
        debian=(("alertmanager", "prometheus-alertmanager"),),
    ),
    Program(
        name="prometheus",
        version="3.15.0",
        binaries=("prometheus", "promtool"),
        recipe=Module(
            path="github.com/prometheus/prometheus",
            version="v0.315.0",
            packages={"prometheus": "./cmd/prometheus", "promtool": "./cmd/promtool"},
            says=PROMETHEUS_VERSION,
            # Of the service discoveries only those that the stack uses: the clouds' clients
            # take longer to compile than all the rest.
            tags="netgo,remove_all_sd,enable_dns_sd",
        ),
        minutes=2.5,
        package="prometheus",  # works for rules; without OTLP ingestion: Debian strips it
    ),
    Program(
        name="otelcol",
        version="0.159.0",
        binaries=("otelcol",),
        recipe=Distribution(
            builder="go.opentelemetry.io/collector/cmd/builder",
            version="v0.159.0",
            substitutes={
                f"{CONTRIB}/receiver/dockerstatsreceiver": "v0.149.0",
                f"{CONTRIB}/receiver/k8sobjectsreceiver": "v0.151.0",
            },
        ),
        minutes=6.2,
    ),
    Program(
        name="loki",
        version="3.7.8",
        binaries=("loki",),
        recipe=Module(
            path="github.com/grafana/loki/v3",
            version="v3.7.8",
            packages={"loki": "./cmd/loki"},
            says="github.com/grafana/loki/v3/pkg/util/build.Version",
            tags="netgo",
            unreplace=("github.com/grafana/loki/pkg/push",),
        ),
        minutes=5.3,
    ),
    Program(
        name="tempo",
        version="3.0.0-20260423",
        binaries=("tempo",),
        recipe=Module(
            path="github.com/grafana/tempo",
            version="v1.5.1-0.20260423183749-e1676d825c43",
            packages={"tempo": "./cmd/tempo"},
            says="main.Version",
        ),
        minutes=7.9,
        differs="compose runs 3.0.3, which is no Go module: this is its main branch of 23 April 2026",
    ),
    Program(
        name="node_exporter",
        version="1.12.1",
        binaries=("node_exporter",),
        recipe=Module(
            path="github.com/prometheus/node_exporter",
            version="v1.12.1",
            packages={"node_exporter": "."},
            says=PROMETHEUS_VERSION,
        ),
        minutes=0.3,
        package="prometheus-node-exporter",
        debian=(("node_exporter", "prometheus-node-exporter"),),
    ),
    Program(
        name="pint",
        version="0.87.0",
        binaries=("pint",),
        recipe=Module(
            path="github.com/cloudflare/pint",
            version="v0.87.0",
            packages={"pint": "./cmd/pint"},
            says="main.version",
        ),
        minutes=0.7,
        version_arguments=("version",),
    ),
    Program(  # reads docker-compose.yml as `docker compose` does; no daemon is asked
        name="docker-compose",
        version="2.40.3",
        binaries=("docker-compose",),
        recipe=Module(
            path="github.com/docker/compose/v2",
            version="v2.40.3",
            packages={"docker-compose": "./cmd"},
            says="github.com/docker/compose/v2/internal.Version",
        ),
        minutes=4,
        package="docker-compose",
        version_arguments=("version",),
        optional=True,  # for one test; whoever runs the stack has it
    ),
    Program(  # `grafana server --homepath FOLDER`, the binary's own folder
        name="grafana",
        version="10.0.0-preview",
        binaries=("grafana",),
        recipe=Grafana(
            Module(
                path="github.com/grafana/grafana",
                version="v1.9.2-0.20230609164553-81d85ce8028d",
                packages={"grafana": "./pkg/cmd/grafana"},
                says="main.version",
                tags="oss",
            ),
        ),
        minutes=10,
        differs="compose runs 13.2.0: the newest on the module proxy is the state of 9 June 2023",
        optional=True,  # it needs a C compiler and Node.js too
    ),
)


def cache() -> Path:
    """The folder of all built programs."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "aftershock" / "programs"


def program(name: str) -> Program:
    """The program of that name, or the one that brings a binary of that name.

    Raises:
        KeyError: there is none.
    """
    for candidate in PROGRAMS:
        if name == candidate.name or name in candidate.binaries:
            return candidate
    known = ", ".join(binary for each in PROGRAMS for binary in each.binaries)
    raise KeyError(f"{name} is no program of the stack; there are: {known}")


def built(name: str) -> Path | None:
    """Where the cache has a binary, or `None`; one of an older manifest does not count."""
    owner = program(name)
    place = owner.folder / (name if name in owner.binaries else owner.binaries[0])
    if not place.is_file():
        return None
    if isinstance(owner.recipe, Distribution) and not same_parts(owner.folder):
        return None
    return place


def locate(name: str) -> Path | None:
    """Where a binary is: in the cache, else on PATH, else `None`."""
    found = built(name)
    if found is not None:
        return found
    owner = program(name)
    names = [name, *(other for binary, other in owner.debian if binary == name)]
    return next((Path(path) for each in names if (path := shutil.which(each))), None)


@contextmanager
def alone() -> Generator[None]:
    """One build at a time for all processes of this user: each takes every core."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "building.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(name: str) -> Path:
    """Build a program unless the cache has it; returns its first binary, or the one named.

    Raises:
        BuildFailed: with the end of the compiler's output.
    """
    owner = program(name)
    with alone():
        found = built(name)
        if found is not None:
            return found
        print(f"{owner.name} {owner.version}: building, about {owner.minutes:g} min", flush=True)
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=cache(), prefix=".building-") as scratch:
            target = Path(scratch) / "done"
            target.mkdir()
            make(owner, Path(scratch), target)
            for binary in owner.binaries:
                subprocess.run(
                    [target / binary, *owner.version_arguments], check=True, capture_output=True
                )
            shutil.rmtree(owner.folder, ignore_errors=True)
            target.rename(owner.folder)
        print(f"{owner.name} {owner.version}: {(time.monotonic() - start) / 60:.1f} min")
    place = built(name)
    assert place is not None
    return place


def make(owner: Program, folder: Path, target: Path) -> None:
    """Make a program's binaries in `target`, working in `folder`."""
    if shutil.which("go") is None:
        raise BuildFailed("go is not installed: install Go 1.26 or newer, or Debian's packages")
    if isinstance(owner.recipe, Module):
        build_module(owner.recipe, owner.version, folder, target)
    elif isinstance(owner.recipe, Distribution):
        build_distribution(owner.recipe, folder, target)
    else:
        build_grafana(owner.recipe, owner.version, folder, target)


def listing() -> str:
    """A line for each program: its version and where it is, or how to get it."""
    lines: list[str] = []
    for each in PROGRAMS:
        place = locate(each.name)
        other = f", or apt-get install {each.package}" if each.package else ""
        where = str(place or f"missing: building takes about {each.minutes:g} min{other}")
        lines.append(f"{each.name:<14}{each.version:<18}{where}")
        if each.differs:
            lines.append(f"{'':<14}{each.differs}")
    return "\n".join(lines)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.stack.programs", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    verbs = parser.add_subparsers(dest="verb")
    verbs.add_parser("list", help="what there is, and where")
    making = verbs.add_parser("build", help="build what is missing")
    making.add_argument("names", nargs="*", metavar="NAME")
    finding = verbs.add_parser("path", help="where a binary is")
    finding.add_argument("name", metavar="NAME")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; 1 where a program is missing or could not be built."""
    wanted = parsed(arguments)
    try:
        if wanted.verb == "build":
            needed = [each.name for each in PROGRAMS if not each.optional]
            for name in wanted.names or needed:
                print(build(name))
        elif wanted.verb == "path":
            place = locate(wanted.name)
            if place is None:
                owner = program(wanted.name).name
                print(
                    f"{wanted.name} is neither in {cache()} nor on PATH:"
                    f" python -m tests.stack.programs build {owner}",
                    file=sys.stderr,
                )
                return 1
            print(place.resolve())
        else:
            print(listing())
    except (BuildFailed, KeyError) as error:
        print(error.args[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
