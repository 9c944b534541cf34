"""A running collector keeps to its published OpenAPI: schemathesis asks it whatever it allows."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest

from tests.bench.memory import up
from tests.support.traffic import looping_run, span_request

ROOT = Path(__file__).parents[3]
# A schema cannot say which bytes are protobuf, so that some that it allows are refused with 400.
UNFOUNDED = "positive_data_acceptance"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_running_collector_keeps_to_its_description() -> None:
    with tempfile.TemporaryDirectory() as name, up(Path(name)) as (base, _, _):
        spans = looping_run(random.Random(1)).spans
        headers = {"content-type": "application/x-protobuf"}
        httpx.post(f"{base}/v1/traces", content=span_request(spans), headers=headers)
        asked = subprocess.run(
            [
                sys.executable, "-m", "schemathesis.cli", "run", f"{base}/openapi.json",
                "--max-examples", "40", "--seed", "1", "--exclude-checks", UNFOUNDED, "--no-color",
                "--request-timeout", "30", "--suppress-health-check", "all",
            ],
            cwd=ROOT,
            env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.http_hooks"},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip

        assert asked.returncode == 0, asked.stdout
        assert "Tested: " in asked.stdout, asked.stdout


@pytest.mark.slow
def test_a_number_that_is_too_long_is_no_number_of_anything(tmp_path: Path) -> None:
    with up(tmp_path) as (base, _, _):
        for path in ("incidents/1" + "0" * 23, "findings/1" + "0" * 23):
            assert httpx.get(f"{base}/{path}").status_code == 404
        refused = httpx.delete(f"{base}/incidents/1/mute")

    assert refused.status_code == 405
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
