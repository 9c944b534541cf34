"""Agents send to where the collector of the same folder listens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aftershock.recorder.settings import ENDPOINT, collector_url


@pytest.mark.parametrize(
    ("file", "variables", "url"),
    [
        ("collector: {http: '127.0.0.1:14318'}", {}, "http://127.0.0.1:14318"),
        ("collector: {http: '0.0.0.0:14318'}", {}, "http://127.0.0.1:14318"),
        ("collector: {http: '[::]:14318'}", {}, "http://[::1]:14318"),
        ("collector: {http: 'box:14318', tls: {certificate: c}}", {}, "https://box:14318"),
        ("collector: {http: 'a:1'}", {"AFTERSHOCK_HTTP": "127.0.0.1:24318"}, "http://127.0.0.1:24318"),
        (None, {"AFTERSHOCK_HTTP": "127.0.0.1:24318"}, "http://127.0.0.1:24318"),
        ("collector: {keep: 7d}", {}, ENDPOINT),
        ("collector: [1", {}, ENDPOINT),
        ("collector: nonsense", {}, ENDPOINT),
        ("collector: {http: '127.0.0.1:0'}", {}, ENDPOINT),
        ("tools: {}", {}, ENDPOINT),
        (None, {}, ENDPOINT),
    ],
)  # fmt: skip
def test_the_file_and_the_variables_of_up_say_where_telemetry_goes(
    file: str | None,
    variables: dict[str, str],
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AFTERSHOCK_POLICY", "AFTERSHOCK_HTTP", "AFTERSHOCK_TLS_CERTIFICATE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if file is not None:
        (tmp_path / "aftershock.yaml").write_text(file, encoding="utf-8")

    assert collector_url() == url


def test_a_recorded_program_names_the_collector_that_the_file_names(tmp_path: Path) -> None:
    (tmp_path / "aftershock.yaml").write_text("collector: {http: '127.0.0.1:9'}", encoding="utf-8")
    program = "import os; print(os.environ['OTEL_EXPORTER_OTLP_ENDPOINT'])"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERSHOCK_", "OTEL_"))}
    ran = subprocess.run(
        [sys.executable, "-m", "aftershock_collector.cli", "run", sys.executable, "-c", program],
        cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ran.stdout == "http://127.0.0.1:9\n"
