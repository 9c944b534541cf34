"""Which instrumentation is loaded, and when."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from aftershock.recorder.import_hooks import ImportHooks, half_imported
from aftershock.recorder.instrumentors import GROUP, choose
from aftershock.recorder.settings import service_name


def entry(name: str, value: str) -> EntryPoint:
    """An entry point as an installed distribution declares it."""
    return EntryPoint(name, value, GROUP)


OFFICIAL = entry("openai", "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor")
TRACELOOP = entry("openai", "opentelemetry.instrumentation.openai:OpenAIInstrumentor")
OPENINFERENCE = entry("openai", "openinference.instrumentation.openai:OpenAIInstrumentor")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_one_family_per_library_and_the_official_one_before_others(order: tuple[int, ...]) -> None:
    found = (OFFICIAL, TRACELOOP, OPENINFERENCE)

    assert choose(found[n] for n in order) == {"openai": OFFICIAL}


def test_names_that_differ_in_a_hyphen_only_are_one_library() -> None:
    agents = entry("openai-agents", "openinference.instrumentation.openai_agents:X")
    official = entry("openai_agents", "opentelemetry.instrumentation.genai.openai_agents:Y")

    assert choose([agents, official]) == {"openai_agents": official}


def test_a_hook_is_called_after_the_modules_own_code_has_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "hooked_package"
    package.mkdir()
    (package / "__init__.py").write_text("from hooked_package import inner\nDONE = True\n")
    (package / "inner.py").write_text("VALUE = 1\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    hooks, calls = ImportHooks(), list[tuple[str, bool]]()

    def call(name: str) -> None:
        calls.append((name, half_imported(("hooked_package",), name)))

    hooks.add("hooked_package", call)
    hooks.add("hooked_package.inner", call)
    try:
        module = __import__("hooked_package")
    finally:
        sys.meta_path.remove(hooks)  # type: ignore[arg-type]

    assert calls == [("hooked_package.inner", True), ("hooked_package", False)]
    assert module.DONE
    assert module.__spec__ is not None
    assert type(module.__spec__.loader).__module__.startswith("_frozen_importlib")


def test_a_hook_of_an_imported_module_is_called_at_once() -> None:
    hooks, calls = ImportHooks(), list[str]()
    hooks.add("json", calls.append)
    sys.meta_path.remove(hooks)  # type: ignore[arg-type]

    assert calls == ["json"]


def test_a_module_that_fails_fails_as_it_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_module.py").write_text("raise KeyError('own')\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    hooks, calls = ImportHooks(), list[str]()
    hooks.add("failing_module", calls.append)
    try:
        with pytest.raises(KeyError, match="own"):
            __import__("failing_module")
    finally:
        sys.meta_path.remove(hooks)  # type: ignore[arg-type]

    assert calls == []
    assert "failing_module" not in sys.modules


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python agent.py --fast", "agent"),
        ("/usr/bin/python3.12 -X dev /srv/bot/run.py", "run"),
        ("python -m bots.sre --once", "bots.sre"),
        ("uvicorn app:api", "uvicorn"),
        ("python -c pass", None),
        ("python", None),
    ],
)
def test_a_program_is_named_after_its_script(command: str, name: str | None) -> None:
    assert service_name(command.split()) == name
