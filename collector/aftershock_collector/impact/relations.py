"""Who calls whom, among entities under the keys that their series are filed under."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Topology = Mapping[str, Sequence[str]]  # caller → what it calls


class Relations:
    """One topology, readable in both directions."""

    def __init__(self, topology: Topology, canonical: Callable[[str], str]) -> None:
        self._callees: dict[str, set[str]] = {}
        self._callers: dict[str, set[str]] = {}
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
        found: set[str] = set()
        waiting = [entity]
        while waiting:
            for caller in self.callers(waiting.pop()) - found:
                found.add(caller)
                waiting.append(caller)
        return found
