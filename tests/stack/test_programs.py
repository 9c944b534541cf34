"""The table of real programs: found where they are, built of what the manifest names."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.stack import programs
from tests.stack.grafana_sources import trimmed
from tests.stack.programs import PROGRAMS, Program, build, built, listing, locate, main
from tests.stack.recipes import MANIFEST, BuildFailed, Distribution, Module, available, parts, run

BINARIES = [(each, binary) for each in PROGRAMS for binary in each.binaries]


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def place_binary(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\necho ok\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("owner", "binary"), BINARIES, ids=[binary for _, binary in BINARIES])
def test_a_built_program_runs_and_says_the_version_of_the_table(
    owner: Program, binary: str
) -> None:
    place = built(binary)
    if place is None:
        pytest.skip(f"NOT TESTED: {binary} is not built (python -m tests.stack.programs build)")

    done = subprocess.run(
        [place, *owner.version_arguments], capture_output=True, text=True, check=True
    )

    assert owner.version in done.stdout + done.stderr


def test_a_binary_of_the_cache_is_preferred_to_one_on_the_path(empty_cache: Path) -> None:
    on_path = place_binary(empty_cache / "bin" / "promtool")

    assert locate("promtool") == on_path

    cached = place_binary(programs.program("promtool").folder / "promtool")

    assert locate("promtool") == cached


def test_debians_names_are_known(empty_cache: Path) -> None:
    debian = place_binary(empty_cache / "bin" / "prometheus-alertmanager")

    assert locate("alertmanager") == debian
    assert locate("amtool") is None


def test_a_collector_of_an_older_manifest_is_not_taken(empty_cache: Path) -> None:
    folder = programs.program("otelcol").folder
    place_binary(folder / "otelcol")
    manifest = yaml.safe_load(MANIFEST.read_text())
    (folder / "builder.yaml").write_text(MANIFEST.read_text() + "# said differently\n")

    assert built("otelcol") == folder / "otelcol"

    manifest["receivers"].pop()
    (folder / "builder.yaml").write_text(yaml.safe_dump(manifest))

    assert built("otelcol") is None


def test_what_is_missing_is_told_with_the_command_that_gets_it(
    empty_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "missing" in listing()
    assert main(["path", "promtool"]) == 1
    assert "python -m tests.stack.programs build prometheus" in capsys.readouterr().err
    assert main(["path", "nonsense"]) == 1
    assert "nonsense is no program of the stack; there are: alertmanager" in capsys.readouterr().err


def test_without_go_a_build_says_what_to_install(empty_cache: Path) -> None:
    with pytest.raises(BuildFailed, match="go is not installed: install Go"):
        build("alertmanager")

    assert [path.name for path in programs.cache().iterdir()] == ["building.lock"]


def test_a_failing_command_is_told_with_the_end_of_its_output(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"(?s)sh -c .* failed:.*the culprit"):
        run(tmp_path, "sh", "-c", "echo the culprit >&2; exit 3")


def test_the_collector_is_built_at_the_version_of_its_manifest() -> None:
    manifest = yaml.safe_load(MANIFEST.read_text())
    owner = programs.program("otelcol")
    assert isinstance(owner.recipe, Distribution)

    assert manifest["dist"]["version"] == owner.version == owner.recipe.version.removeprefix("v")
    assert set(owner.recipe.substitutes) <= {module for module, _ in parts(manifest)}


def test_a_part_that_nobody_offers_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))

    with pytest.raises(BuildFailed, match=r"example.com/part v1 is not available .*GOPROXY=off"):
        available([("example.com/part", "v1")], {}, tmp_path)
    with pytest.raises(BuildFailed, match=r"example.com/part v0 is not available"):
        available([("example.com/part", "v1")], {"example.com/part": "v0"}, tmp_path)


IMAGES = {"otelcol": "opentelemetry-collector-contrib", "node_exporter": "node-exporter"}


@pytest.mark.parametrize("owner", PROGRAMS, ids=[each.name for each in PROGRAMS])
def test_a_program_is_the_release_that_compose_runs_or_says_how_it_differs(owner: Program) -> None:
    compose = (MANIFEST.parents[2] / "docker-compose.yml").read_text()
    image = IMAGES.get(owner.name, owner.name)
    found = re.search(rf"image: [\w.-]+/{image}:v?([\w.-]+)$", compose, re.MULTILINE)
    if found is None:
        assert owner.name in {"pint", "docker-compose"}  # they read files; nothing runs them
        return

    assert bool(owner.differs) == (found[1] != owner.version)
    if owner.differs:
        assert owner.differs.startswith(f"compose runs {found[1]}")


def test_every_binary_has_one_program_and_one_package() -> None:
    names = [binary for _, binary in BINARIES]

    assert len(names) == len(set(names))
    for each in PROGRAMS:
        if isinstance(each.recipe, Module):
            assert tuple(each.recipe.packages) == each.binaries


def test_grafanas_pages_are_built_without_what_only_testing_needs() -> None:
    kept = trimmed({
        "scripts": {"postinstall": "husky install"},
        "workspaces": {"packages": ["packages/*"]},
        "dependencies": {"react": "17.0.2", "xlsx": "https://elsewhere.example/xlsx.tgz"},
        "devDependencies": {"webpack": "5.76.0", "cypress": "9.5.1"},
        "resolutions": {"underscore": "1.13.6"},
    })  # fmt: skip

    assert kept["devDependencies"] == {"webpack": "5.76.0"}
    assert kept["dependencies"] == {"react": "17.0.2", "xlsx": "0.18.5"}
    assert "packages/grafana-e2e" not in kept["workspaces"]["packages"]
    assert kept["scripts"] == {}
    assert kept["resolutions"] == {"underscore": "1.13.6"}


def test_what_is_optional_is_built_only_when_named(
    empty_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for each in PROGRAMS:
        if not each.optional:
            for binary in each.binaries:
                place_binary(each.folder / binary)
    (programs.program("otelcol").folder / "builder.yaml").write_text(MANIFEST.read_text())

    assert main(["build"]) == 0
    assert "grafana" not in capsys.readouterr().out
    assert main(["build", "grafana"]) == 1
    assert "go is not installed" in capsys.readouterr().err
