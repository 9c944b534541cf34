"""What the command needs of other folders: found in the tree, and inside the wheel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from aftershock_collector.config.shipped_files import shipped
from dashboards.generate import GENERATED
from tests.dashboards.grafana_server import ADMIN, StandIn

ROOT = Path(__file__).parents[2]
uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
needs_uv = pytest.mark.skipif(not Path(uv).exists(), reason="NOT TESTED: uv is not installed")


def test_an_editable_install_reads_the_folders_of_the_tree() -> None:
    assert shipped("dashboards/generated") == GENERATED
    assert (shipped("alerts/runbooks") / "AgentImpact.md").is_file()


@pytest.mark.slow
@needs_uv
def test_a_wheel_holds_the_dashboards_and_pushes_them(tmp_path: Path) -> None:
    subprocess.run(
        [uv, "build", "--wheel", "--quiet", "--out-dir", str(tmp_path), str(ROOT)],
        check=True, timeout=100,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(unpacked)
    place = unpacked / "aftershock_collector" / "shipped" / "dashboards" / "generated"
    mine = {path.name: path.read_bytes() for path in GENERATED.glob("*.json")}
    assert mine == {path.name: path.read_bytes() for path in place.glob("*.json")}

    environment = {
        **os.environ, "PYTHONPATH": str(unpacked), "AFTERSHOCK_GRAFANA_TOKEN": ADMIN,
    }  # fmt: skip
    program = "import aftershock_collector; print(aftershock_collector.__file__)"
    with StandIn() as grafana:
        command = [sys.executable, "-m", "aftershock_collector.cli", "grafana", "push"]
        ran = subprocess.run(
            [*command, "--url", grafana.url],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        where = subprocess.run(
            [sys.executable, "-c", program],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        there = {uid: board["dashboard"]["title"] for uid, board in grafana.kept.boards.items()}

    assert (0, "") == (ran.returncode, ran.stderr)
    assert str(unpacked) in where.stdout
    assert {json.loads(text)["uid"]: json.loads(text)["title"] for text in mine.values()} == there
