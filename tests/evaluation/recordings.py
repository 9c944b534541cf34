"""Recorded incidents with known actions, read into the product's own types.

`data/impact` of the shared evaluation data: Online Boutique and Train-Ticket at one point a minute
(IntelligentDDS/Nezha, MIT), operator commands on PetShop at one point in five minutes
(amazon-science PetShop, CC-BY-4.0).
"""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aftershock.model import Action, Fingerprint, Step, StepKind, Tier
from aftershock_collector.metrics.series import Family, SeriesStore

S = 1_000_000_000
USERS = "service/__user__"  # the outermost measurements: whoever calls what nobody else calls

# Recorded metric → (family, unit, factor, offset): larger must be worse.
_METRICS: dict[str, tuple[Family, str, float, float]] = {
    "cpu": (Family.RESOURCES, "1", 1.0, 0.0),
    "mem": (Family.RESOURCES, "By", 1.0, 0.0),
    "succ": (Family.ERRORS, "%", -1.0, 100.0),
    "rps": (Family.TRAFFIC, "{request}/s", 1.0, 0.0),
    "availability": (Family.ERRORS, "%", -1.0, 100.0),
    "requests": (Family.TRAFFIC, "{request}/s", 1.0, 0.0),
    "latency": (Family.LATENCY, "s", 1.0, 0.0),
}
_LATENCIES = ("cli_p90", "cli_p99", "srv_p90", "srv_p99", "p50", "p90", "p95", "p99", "edge_")


def data_folder() -> Path:
    """Where the recordings are: AFTERSHOCK_EVAL_DATA, or beside the repository."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    return Path(os.environ.get("AFTERSHOCK_EVAL_DATA", beside)) / "impact"


@dataclass(frozen=True, slots=True)
class Incident:
    """Candidate actions and who of them did it (-1: none of them)."""

    kind: str  # agent | infra | quiet | reverse
    now_ns: int
    candidates: tuple[tuple[int, str], ...]  # effect time, entity
    guilty: int
    visible: bool


@dataclass(slots=True)
class Recording:
    """One system: its series, what calls what, recorded actions, incidents."""

    name: str
    store: SeriesStore
    topology: dict[str, list[str]]
    actions: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    incidents: list[Incident] = field(default_factory=list[Incident])

    def known_actions(self, incident: Incident) -> Iterator[tuple[int, str]]:
        """Actions that an agent's records would hold: all but the incident's own fault."""
        earlier = [action for action in self.actions if action[0] < incident.now_ns]
        if incident.kind != "quiet":
            earlier = earlier[:-1]
        first_ns = min(at for at, _ in incident.candidates)
        return ((at, entity) for at, entity in earlier if at < first_ns)


def step(at_ns: int, entity: str, identity: str) -> Step:
    """An action with an effect, as an engine would hand it to a watch."""
    action = Action(
        tool="change",
        arguments=Fingerprint(digest=identity),
        result=None,
        outcome=None,
        tier=Tier.WRITE,
        targets=(entity,),
    )
    return Step(
        run_id=identity,
        span_id=identity,
        kind=StepKind.TOOL_CALL,
        name="change",
        began_at_ns=at_ns,
        ended_at_ns=at_ns,
        action=action,
    )


def _store() -> SeriesStore:
    return SeriesStore(points_max=4_096, retention_s=400 * 86_400.0)


def _measured(metric: str) -> tuple[Family, str, float, float] | None:
    if metric.startswith(_LATENCIES):
        return _METRICS["latency"]
    return _METRICS.get(metric)


def _with_users(edges: list[str]) -> dict[str, list[str]]:
    topology: dict[str, list[str]] = {}
    called: set[str] = set()
    for edge in edges:
        caller, callee = edge.split(">")
        topology.setdefault(f"service/{caller}", []).append(f"service/{callee}")
        called.add(f"service/{callee}")
    topology[USERS] = sorted(set(topology) - called)
    return topology


def nezha(folder: str, name: str) -> Recording:
    """One day of Online Boutique or Train-Ticket with its incidents."""
    place = data_folder() / folder
    store = _store()
    with gzip.open(place / "metrics.csv.gz", "rt", newline="") as text:
        rows = csv.reader(text)
        header = next(rows)
        columns: list[tuple[int, str, str, tuple[Family, str, float, float]]] = []
        for position, column in enumerate(header):
            entity, _, metric = column.partition("|")
            measured = _measured(metric)
            if measured is not None:
                columns.append((position, f"service/{entity}", metric, measured))
        for row in rows:
            time_ns = int(float(row[0]) * S)
            for position, entity, metric, (family, unit, factor, offset) in columns:
                if row[position]:
                    value = float(row[position]) * factor + offset
                    store.append(entity, metric, family, unit, time_ns, value)
    edges: list[str] = json.loads((place / "topology_caller_callee.json").read_text())
    actions: list[dict[str, Any]] = json.loads((place / "actions.json").read_text())
    recording = Recording(name, store, _with_users(edges))
    recording.actions = sorted((int(a["ts"] * S), f"service/{a['target']}") for a in actions)
    with gzip.open(data_folder() / "incidents_nezha.jsonl.gz", "rt") as lines:
        for line in lines:
            one: dict[str, Any] = json.loads(line)
            if one["env"] == folder.replace("_", "-"):
                recording.incidents.append(
                    Incident(
                        kind=one["kind"],
                        now_ns=int(one["t_now"] * S),
                        candidates=tuple(
                            (int(t * S), f"service/{e}") for t, e in one["candidates"]
                        ),
                        guilty=one["guilty"],
                        visible=bool(one["metric_visible"]),
                    )
                )
    return recording


@dataclass(frozen=True, slots=True)
class Command:
    """One operator command on PetShop: its own short recording behind a day without issues."""

    recording: Recording
    root: str
    others: tuple[str, ...]  # components that are measured too
    acted_ns: int
    now_ns: int


def petshop() -> list[Command]:
    """All recorded commands."""
    with np.load(data_folder() / "petshop_low" / "petshop_low_traffic.npz") as arrays:
        data = {key: arrays[key] for key in arrays.files}
    topology = _with_users([str(edge) for edge in data["edges"]])
    keys = [str(key).split("|") for key in data["keys"]]
    commands: list[Command] = []
    for number, root in enumerate(data["root"]):
        issue_s = data["issue_t"][number]
        shift_s = issue_s[0] - 300 - data["noissue_t"][-1]
        times_s = np.concatenate([data["noissue_t"] + shift_s, issue_s])
        values = np.concatenate([data["noissue"], data["issue"][number]])
        store = _store()
        for column, (entity, metric, statistic) in enumerate(keys):
            measured = _measured(metric)
            assert measured is not None, metric
            family, unit, factor, offset = measured
            for time_s, value in zip(times_s, values[:, column], strict=True):
                if np.isfinite(value):
                    store.append(
                        f"service/{entity}",
                        f"{metric} {statistic}",
                        family,
                        unit,
                        int(time_s * S),
                        float(value) * factor + offset,
                    )
        acted_ns = int((issue_s[0] - 150) * S)
        recording = Recording(f"PetShop {number}", store, topology)
        others = tuple(e for e in store.entities() if e not in {f"service/{root}", USERS})
        commands.append(
            Command(recording, f"service/{root}", others, acted_ns, int(issue_s[-1] * S))
        )
    return commands
