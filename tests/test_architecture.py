"""The structure of the code, executed: which room may import which, and which rooms are pure.

A room is a folder below an import package, or a module that lies beside those folders.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = {
    "aftershock": ROOT / "instrumentation",
    "aftershock_collector": ROOT / "collector",
}

# From the top down: a room imports only rooms below it. `None` is the package itself.
FLOORS: dict[str, tuple[str | None, ...]] = {
    "aftershock": (
        None,
        "proxy",
        "recovery",
        "recorder",
        "guard",
        "gate",
        "rules",
        "runs",
        "policy",
        "fingerprints",
        "redaction",
        "wire",
        "model",
        "approval",
        "entity",
        "names",
        "attributes",
        "limits",
        "grade",
        "remembered",
        "version",
    ),
    "aftershock_collector": (
        "cli",
        "commands",
        "demo",
        "service",
        "views",
        "export",
        "sources",
        "control",
        "notify",
        "review",
        "store",
        "access",
        "config",
        "engine",
        "impact",
        "reading",
        "metrics",
        "otlp",
        "telemetry",
        "wording",
        None,
    ),
}
# Rooms without a clock, socket, file, thread, random source or framework, whatever they import.
PURE: dict[str, frozenset[str | None]] = {
    "aftershock": frozenset(FLOORS["aftershock"][5:-1]),  # below the guard, but for the version
    "aftershock_collector": frozenset(
        {"review", "engine", "impact", "reading", "metrics", "otlp", "wording"}
    ),
}
IMPURE_IMPORTS = frozenset(
    {
        "asyncio", "grpc", "http", "httpx", "io", "logging", "multiprocessing", "os", "psutil",
        "queue", "random", "requests", "secrets", "select", "shutil", "signal", "socket",
        "sqlite3", "ssl", "starlette", "subprocess", "sys", "tempfile", "threading", "time",
        "urllib", "uuid", "uvicorn",
    }
)  # fmt: skip
# The only rooms that open sockets, databases and processes.
OUTSIDE_ROOMS = frozenset({"sources", "store", "notify", "export", "demo", "service", "views"})
OUTSIDE_IMPORTS = frozenset({"socket", "httpx", "grpc", "sqlite3", "uvicorn"})
LOOSE_MODULES_MAX = 3  # modules beside the rooms of the collector: the command, and two leaves


@cache
def modules() -> Mapping[str, Path]:
    """Every module of the product by its dotted name."""
    found: dict[str, Path] = {}
    for package, folder in SOURCES.items():
        for path in sorted((folder / package).rglob("*.py")):
            name = ".".join(path.relative_to(folder).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def room_of(module: str) -> tuple[str, str | None]:
    """The package and the room of a module."""
    package, _, rest = module.partition(".")
    return package, rest.partition(".")[0] or None


@cache
def imports_of(module: str) -> frozenset[str]:
    """Dotted names that a module imports, anywhere in its file; ours as modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{module} imports relatively"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in modules() else node.module)
    return frozenset(found)


def arrows() -> Iterator[tuple[str, str]]:
    """Pairs of modules of one package that lie in different rooms: who imports, and what."""
    for module in modules():
        for imported in imports_of(module) & modules().keys():
            here, there = room_of(module), room_of(imported)
            if here != there and here[0] == there[0]:
                yield module, imported


@cache
def reached_from(module: str) -> frozenset[str]:
    """Every module of ours that importing one brings in."""
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += imports_of(name) & modules().keys()
    return frozenset(reached)


def impurities_of(module: str) -> Iterator[str]:
    """What a pure module must not have: imports of the world, calls of its clocks and files."""
    for imported in sorted(imports_of(module)):
        if imported.partition(".")[0] in IMPURE_IMPORTS:
            yield f"imports {imported}"
    for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            call = ast.unparse(node.func)
            if call == "open" or call.endswith((".now", ".utcnow", ".today")):
                yield f"calls {call}"


def is_pure(module: str) -> bool:
    package, room = room_of(module)
    return room in PURE[package] or (room is None and package == "aftershock_collector")


@pytest.mark.parametrize("package", SOURCES)
def test_every_room_has_a_floor(package: str) -> None:
    rooms = {room_of(module)[1] for module in modules() if room_of(module)[0] == package}

    assert rooms == set(FLOORS[package])


def test_no_arrow_runs_back_up() -> None:
    """So no pair of rooms points at each other, and there is no circle of rooms."""
    floor = {(p, room): n for p, rooms in FLOORS.items() for n, room in enumerate(rooms)}
    up = sorted(
        f"{module} imports {imported}"
        for module, imported in arrows()
        if floor[room_of(module)] > floor[room_of(imported)]
    )

    assert up == []


def test_no_circle_of_modules() -> None:
    circles = sorted(
        f"{module} and {imported}"
        for module in modules()
        for imported in imports_of(module) & modules().keys()
        if module < imported and module in reached_from(imported)
    )

    assert circles == []


def test_the_agents_process_never_imports_the_collector() -> None:
    across = sorted(
        module
        for module in modules()
        if room_of(module)[0] == "aftershock"
        and any(name.partition(".")[0] == "aftershock_collector" for name in imports_of(module))
    )

    assert across == []


def test_pure_rooms_reach_only_pure_rooms() -> None:
    """So what holds for each pure module holds for whatever importing it brings in."""
    assert [] == [
        f"{module} reaches {reached}"
        for module in modules()
        if is_pure(module)
        for reached in sorted(reached_from(module))
        if not is_pure(reached)
    ]


def test_a_pure_room_has_no_clock_socket_file_or_random_source() -> None:
    assert [] == [
        f"{module}: {impurity}"
        for module in modules()
        if is_pure(module)
        for impurity in impurities_of(module)
    ]


def test_only_the_rooms_around_the_core_touch_sockets_and_databases() -> None:
    touching = sorted(
        f"{module} imports {imported}"
        for module in modules()
        for imported in imports_of(module)
        if imported.partition(".")[0] in OUTSIDE_IMPORTS
        and room_of(module)[0] == "aftershock_collector"
        and room_of(module)[1] not in OUTSIDE_ROOMS
    )

    assert touching == []


def test_few_modules_lie_beside_the_rooms() -> None:
    folder = SOURCES["aftershock_collector"] / "aftershock_collector"
    loose = sorted(path.name for path in folder.glob("*.py") if path.name != "__init__.py")

    assert len(loose) <= LOOSE_MODULES_MAX, loose


def count_arrows() -> dict[tuple[str, str], int]:
    """How many imports each pair of rooms shares; `python -m tests.test_architecture` prints it."""
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for module, imported in arrows():
        here, there = room_of(module), room_of(imported)
        counted[f"{here[0]}/{here[1] or ''}", f"{there[0]}/{there[1] or ''}"] += 1
    return dict(counted)


if __name__ == "__main__":
    found = count_arrows()
    for (importing, imported_room), number in sorted(found.items()):
        print(f"{importing} -> {imported_room}  {number}")
    print(f"{len(found)} arrows between rooms")
