"""An environment for each framework in the user's cache: the framework, and this tree's product.

Both are resolved together by uv, as `pip install` would. The product is installed editable, so an
environment lasts until what it depends on changes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path.home() / ".cache" / "aftershock-frameworks"
ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).with_name("uv")
INSTALL_S = 600
READY = "installed"  # a file: what was installed, as uv lists it


def environment_of(name: str, requirements: tuple[str, ...], extra: str = "") -> Path:
    """The folder of an environment with the product, made where it is missing.

    Raises OSError or SubprocessError where that does not work.
    """
    product = f"{ROOT}[{extra}]" if extra else str(ROOT)
    known = (product, sys.version, (ROOT / "pyproject.toml").read_text(), *requirements)
    return made(name, known, (*requirements, "--editable", product))


def environment_without_us(name: str, requirements: tuple[str, ...]) -> Path:
    """The same of these requirements alone. Raises likewise."""
    return made(name, (sys.version, *requirements), requirements)


def made(name: str, known: tuple[str, ...], installed: tuple[str, ...]) -> Path:
    """An environment with this installed, known by what it depends on. Raises likewise."""
    place = CACHE / f"{name}-{hashlib.sha256(chr(0).join(known).encode()).hexdigest()[:12]}"
    if (place / READY).exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    python = place / "bin" / "python"
    uv("venv", "--quiet", "--python", sys.executable, str(place))
    uv("pip", "install", "--quiet", "--python", str(python), *installed)
    (place / READY).write_text(uv("pip", "freeze", "--python", str(python)))
    return place


def uv(*arguments: str) -> str:
    """What a uv command prints."""
    done = subprocess.run(
        [UV, *arguments], check=False, capture_output=True, text=True, timeout=INSTALL_S
    )
    if done.returncode:
        raise subprocess.SubprocessError(done.stderr[-2_000:])
    return done.stdout


def version_in(place: Path, package: str) -> str:
    """The version of a package that an environment has."""
    for line in (place / READY).read_text().splitlines():
        found, _, version = line.partition("==")
        if found == package:
            return version
    raise LookupError(f"{package} is not in {place}")
