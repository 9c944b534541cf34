"""What a user installs: the wheel with what pip finds for it today, not what the lock says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aftershock.version import VERSION

ROOT = Path(__file__).parents[1]


def run(*command: object) -> str:
    ran = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=280
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("extra", ["", "[demo]"])
def test_pip_installs_the_wheel_and_it_runs(tmp_path: Path, extra: str) -> None:
    run(Path(sys.executable).with_name("uv"), "build", "--wheel", "--out-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    programs = tmp_path / "venv" / "bin"

    run(programs / "pip", "install", "--quiet", f"{wheel}{extra}")

    assert VERSION in run(programs / "aftershock", "--version")
    ran = run(programs / "aftershock", "run", programs / "python", "-c", "print('an agent')")
    assert "an agent" in ran
    if extra:
        policy = tmp_path / "aftershock.yaml"
        policy.write_text("tools: {scale: {tier: provision}}\n", encoding="utf-8")
        run(programs / "aftershock", "check", policy)
