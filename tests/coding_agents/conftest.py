"""Real coding agents, fetched from the package registry once and kept in the user's cache.

    make coding-agents                                      all of them
    CODING_AGENTS=claude-code,codex@latest make coding-agents

Where npm is missing, everything is skipped, and says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace

import pytest

from tests.support.coding_agents.clis import AGENTS, Agent

NAMES = [name for name in os.environ.get("CODING_AGENTS", ",".join(AGENTS)).split(",") if name]


@pytest.fixture(params=NAMES)
def agent(request: pytest.FixtureRequest) -> Agent:
    """Each agent, installed: in the version that the data was recorded with, or in another."""
    name, _, version = str(request.param).partition("@")
    found = replace(AGENTS[name], version=version) if version else AGENTS[name]
    if shutil.which("npm") is None and not found.program.exists():
        pytest.skip(f"npm is missing: {found.name} {found.version} was not run")
    try:
        found.install()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{found.package}@{found.version} could not be installed: {error}")
    return found
