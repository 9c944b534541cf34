"""Whose run it is: steps of other senders are kept in runs of their own, beside it.

Whoever sees a trace id can send spans with it. So a run belongs to the sender that opened it, and
nobody else can add to it, rename it, end it or approve its calls, unless the operator says that the
two share runs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from hashlib import blake2b

from aftershock.model import Step, StepKind

RUNS_MAX = 100_000  # whose owner is remembered; 15 MB. The store knows the others
APART = "~"  # between a run's id and the mark of the other sender
APART_MAX = 4  # times that an id is made longer, where somebody has taken the name of a run apart


class RunOwners:
    """The owner of each run. Belongs to one thread.

    Args:
        recorded: the owner of a run that an earlier process knew; "" where nobody owns it.
        shared: patterns; two senders share runs where one pattern fits both of them.
    """

    def __init__(self, recorded: Callable[[str], str], shared: Sequence[str] = ()) -> None:
        self._recorded = recorded
        self._shared = tuple(shared)
        self._owners: OrderedDict[str, str] = OrderedDict()

    def assign(self, step: Step, sender: str) -> Step:
        """The step with its sender, in the run that it belongs to: its own, or one apart."""
        run_id = step.run_id
        for _ in range(APART_MAX):
            owner = self._owner(run_id)
            if not owner:
                # A service's own calls open no run: they must not take one from its agent.
                if step.kind is not StepKind.OUTGOING:
                    self._remember(run_id, sender)
                break
            if owner == sender or self._share(owner, sender):
                break
            run_id = apart(run_id, sender)
        return replace(step, sender=sender, run_id=run_id)

    def _owner(self, run_id: str) -> str:
        known = self._owners.get(run_id)
        if known is None:
            known = self._recorded(run_id)
            if known:
                self._remember(run_id, known)
        return known or ""

    def _remember(self, run_id: str, owner: str) -> None:
        self._owners[run_id] = owner
        if len(self._owners) > RUNS_MAX:
            self._owners.popitem(last=False)

    def _share(self, owner: str, sender: str) -> bool:
        return any(fnmatchcase(owner, one) and fnmatchcase(sender, one) for one in self._shared)


def apart(run_id: str, sender: str) -> str:
    """The id of the run that holds what another sender added to a run."""
    mark = blake2b(sender.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return f"{run_id}{APART}{mark}"
