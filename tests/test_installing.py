"""What a user installs: the wheel with what pip finds for it today, not what the lock says."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from aftershock.version import VERSION

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).with_name("uv")
# Those that pin what we need as well: OpenTelemetry, protobuf, httpx, pydantic or wrapt.
BESIDE = (
    "agent-framework-core",
    "autogen-agentchat",
    "chainlit",
    "crewai",
    "google-adk",
    "google-cloud-aiplatform",
    "langchain",
    "langfuse",
    "litellm[proxy]",
    "llama-index",
    "logfire",
    "openai-agents",
    "pydantic-ai",
    "semantic-kernel",
    "strands-agents",
    "traceloop-sdk",
    "vertexai",
)


def run(*command: object, given: str | None = None, timeout_s: int = 280) -> str:
    ran = subprocess.run(
        [str(part) for part in command],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def oldest(requirement: str) -> str:
    """The oldest version that a requirement accepts, as a constraint."""
    parsed = Requirement(requirement)
    (floor,) = (one.version for one in parsed.specifier if one.operator == ">=")
    return f"{parsed.name}=={floor}"


def chosen(package: str, *requirements: str) -> str:
    """The line with the version of a package that a resolver chooses for requirements."""
    lines = run(
        UV, "pip", "compile", "--quiet", "--no-annotate", "-", given="\n".join(requirements)
    )
    return next(line for line in lines.splitlines() if line.startswith(f"{package}=="))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("extra", ["", "[demo]"])
def test_pip_installs_the_wheel_and_it_runs(tmp_path: Path, extra: str) -> None:
    run(UV, "build", "--wheel", "--out-dir", tmp_path, ROOT)
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


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("framework", BESIDE)
def test_a_framework_keeps_its_version_with_us_beside_it(framework: str) -> None:
    package = framework.partition("[")[0]
    alone = chosen(package, framework)

    assert chosen(package, framework, f"aftershock @ {ROOT.as_uri()}") == alone


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_recorder_works_with_the_oldest_versions_that_it_accepts(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    constraints = tmp_path / "oldest.txt"
    constraints.write_text("\n".join(map(oldest, project["project"]["dependencies"])), "utf-8")
    python = tmp_path / "venv" / "bin" / "python"
    run(UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    install = (UV, "pip", "install", "--quiet", "--python", python, "--constraints", constraints)
    run(*install, "--group", f"{ROOT}/pyproject.toml:test", "--editable", f"{ROOT}[demo]")

    tests = ("tests/instrumentation/recorder", "tests/instrumentation/guard")
    run(python, "-m", "pytest", "-q", "-m", "not slow", "--rootdir", ROOT,
        *(ROOT / one for one in tests), timeout_s=600)  # fmt: skip
