"""How a program of the stack is made from the Go module proxy: sources, one build, its binaries.

Neither git nor docker is needed. `go install module@version` refuses modules that replace others,
as most of these do; so the module's sources are copied and built where they may be edited.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

BUILD_S_MAX = 40 * 60  # the slowest takes a quarter of this on two cores
LOG_LINES = 15  # of a failed build: the compiler names the culprit last

MANIFEST = Path(__file__).parents[2] / "deploy" / "otel-collector" / "builder.yaml"


class BuildFailed(Exception):  # noqa: N818  # a state, as the house names its refusals
    """A program could not be made; says which command failed, how, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Module:
    """Go sources to build: what to take, what to change before, what to say of the version."""

    path: str
    version: str
    packages: Mapping[str, str]  # binary → package in the module
    says: str  # the linker's name of the variable that holds the version
    tags: str = ""
    unreplace: tuple[str, ...] = ()  # replaced by folders that a module's zip does not carry
    placeholders: tuple[str, ...] = ()  # embedded web pages that only a release's build generates


@dataclass(frozen=True, slots=True)
class Distribution:
    """An OpenTelemetry Collector of the parts that a manifest names.

    Attributes:
        substitutes: module → version to take where the pinned one is not on offer.
    """

    builder: str
    version: str
    substitutes: Mapping[str, str]


def environment(**more: str) -> dict[str, str]:
    """For the Go tools: no workspace (a module's zip lacks its other members), no C compiler.

    What go.mod lacks is added as it is met: tidying would want the modules of all tests as well.
    """
    flags = f"{os.environ.get('GOFLAGS', '')} -buildvcs=false -mod=mod".strip()
    return {**os.environ, "GOFLAGS": flags, "GOWORK": "off", "CGO_ENABLED": "0", **more}


def run(folder: Path, *command: str, **more: str) -> str:
    """The output of a command, run in a folder with more variables.

    Raises:
        BuildFailed: it failed or took too long.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment(**more),
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_S_MAX,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildFailed(f"{' '.join(command[:3])} … took over {BUILD_S_MAX} s") from error
    if done.returncode:
        lines = [
            line for line in done.stderr.splitlines() if not line.startswith("go: downloading")
        ]
        output = "\n  ".join(lines[-LOG_LINES:])
        raise BuildFailed(f"{' '.join(command[:3])} … in {folder} failed:\n  {output}")
    return done.stdout


def downloaded(module: str, version: str, folder: Path) -> Path:
    """Where the module's sources are.

    Raises:
        BuildFailed: the proxy does not offer that version.
    """
    command = ["go", "mod", "download", "-json", f"{module}@{version}"]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    answer: dict[str, Any] = json.loads(done.stdout or "{}")
    if done.returncode:
        reason = answer.get("Error", done.stderr)
        raise BuildFailed(f"{module} {version} is not available (GOPROXY, network?): {reason}")
    return Path(answer["Dir"])


def copied(module: Module, folder: Path) -> Path:
    """The module's sources in a folder where they may be changed."""
    there = downloaded(module.path, module.version, folder)
    sources = folder / "sources"
    shutil.copytree(there, sources, copy_function=shutil.copyfile)
    for path in (sources, *sources.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    return sources


def build_module(module: Module, version: str, folder: Path, target: Path) -> None:
    """Build a module's binaries into `target`."""
    sources = copied(module, folder)
    for name in module.unreplace:
        run(sources, "go", "mod", "edit", f"-dropreplace={name}")
    for name in module.placeholders:
        page = sources / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("<!doctype html><p>Built without its pages.", encoding="utf-8")
    for binary, package in module.packages.items():
        compile_go(sources, target / binary, package, f"-X {module.says}={version}", module.tags)


def compile_go(
    sources: Path, binary: Path, package: str, linker: str = "", tags: str = "", **more: str
) -> None:
    """Compile one package to a binary that names no folder of this machine."""
    flags = (f"-tags={tags}", f"-ldflags=-s -w {linker}", "-trimpath")
    run(sources, "go", "build", *flags, "-o", str(binary), package, **more)


def parts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Module and version of every part that a collector's manifest names."""
    found: list[tuple[str, str]] = []
    for section in (
        "extensions",
        "receivers",
        "processors",
        "exporters",
        "connectors",
        "providers",
    ):
        entries: Iterable[Mapping[str, str]] = manifest.get(section) or ()
        for entry in entries:
            module, _, version = entry["gomod"].partition(" ")
            found.append((module, version))
    return found


def available(
    wanted: Iterable[tuple[str, str]], substitutes: Mapping[str, str], folder: Path
) -> dict[str, str]:
    """Module → version that the proxy has: the pinned one, else its substitute."""
    versions: dict[str, str] = {}
    for module, version in wanted:
        try:
            downloaded(module, version, folder)
            versions[module] = version
        except BuildFailed:
            if module not in substitutes:
                raise
            versions[module] = substitutes[module]
            downloaded(module, versions[module], folder)
            print(f"  {module} {version} is not available: using {versions[module]}")
    return versions


def build_distribution(recipe: Distribution, folder: Path, target: Path) -> None:
    """Build a collector of the manifest's parts into `target`, with the manifest beside it."""
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    versions = available(parts(manifest), recipe.substitutes, folder)
    text = MANIFEST.read_text(encoding="utf-8")
    for module, pinned in parts(manifest):
        text = text.replace(f"{module} {pinned}", f"{module} {versions[module]}")
    sources = folder / "sources"
    sources.mkdir()
    changed = yaml.safe_load(text)
    changed["dist"]["output_path"] = str(sources)
    (folder / "builder.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")

    run(folder, "go", "install", f"{recipe.builder}@{recipe.version}", GOBIN=str(folder))
    skipped = ("--skip-compilation", "--skip-get-modules", "--skip-strict-versioning")
    run(folder, str(folder / "builder"), "--config", "builder.yaml", *skipped)
    run(sources, "go", "mod", "init", recipe.builder)
    core = f"go.opentelemetry.io/collector/otelcol@{recipe.version}"
    requires = [f"-require={module}@{version}" for module, version in versions.items()]
    run(sources, "go", "mod", "edit", f"-require={core}", *requires)
    compile_go(sources, target / "otelcol", ".")
    shutil.copyfile(MANIFEST, target / MANIFEST.name)


def same_parts(place: Path) -> bool:
    """Whether the collector in a folder was built of the parts that the manifest now names."""
    kept = place / MANIFEST.name
    if not kept.exists():
        return False
    built, wanted = (
        parts(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in (kept, MANIFEST)
    )
    return set(built) >= set(wanted)
