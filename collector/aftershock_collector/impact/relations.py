"""Who calls whom, among entities under the keys that their series are filed under."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

HOPS_MAX = 3  # dependencies of dependencies that may explain an entity's damage

Topology = Mapping[str, Sequence[str]]  # caller → what it calls


class Relations:
    """One topology, readable in both directions."""

    def __init__(self, topology: Topology, canonical: Callable[[str], str]) -> None:
        self._callees: dict[str, set[str]] = {}
        self._callers: dict[str, set[str]] = {}
        self._upstream: dict[str, set[str]] = {}  # asked for every pair of actions
        self._downstream: dict[str, set[str]] = {}
        for caller, called in topology.items():
            above = canonical(caller)
            for callee in called:
                below = canonical(callee)
                if above != below:
                    self._callees.setdefault(above, set()).add(below)
                    self._callers.setdefault(below, set()).add(above)

    def __bool__(self) -> bool:
        return bool(self._callees)

    def callees(self, entity: str) -> set[str]:
        """What `entity` calls directly."""
        return self._callees.get(entity, set())

    def callers(self, entity: str) -> set[str]:
        """What calls `entity` directly."""
        return self._callers.get(entity, set())

    def upstream(self, entity: str) -> set[str]:
        """Everything that feels trouble of `entity`: its callers, and theirs."""
        found = self._upstream.get(entity)
        if found is None:
            found = self._upstream[entity] = _reached(entity, self.callers)
        return found

    def downstream(self, entity: str) -> set[str]:
        """What `entity` depends on, directly or through a few others."""
        found = self._downstream.get(entity)
        if found is None:
            found = self._downstream[entity] = _reached(entity, self.callees, HOPS_MAX)
        return found


def _reached(entity: str, step: Callable[[str], set[str]], hops_max: int | None = None) -> set[str]:
    """Everything that is reached from an entity, itself only through a circle."""
    found: set[str] = set()
    newest, hops = {entity}, 0
    while newest and (hops_max is None or hops < hops_max):
        newest = {other for each in newest for other in step(each)} - found
        found |= newest
        hops += 1
    return found
