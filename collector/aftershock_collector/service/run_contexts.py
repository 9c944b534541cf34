"""What pages say of a run: from the engine while it is in memory, afterwards from the store."""

from __future__ import annotations

from collections import OrderedDict

from aftershock.model import Finding
from aftershock_collector.access.hosts import is_loopback
from aftershock_collector.engine.engine import Engine
from aftershock_collector.notify import run_context
from aftershock_collector.notify.run_context import RunContext
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.store.reader import Reader

REMEMBERED_MAX = 2_000  # findings; their pages are written again whenever one of them changes


class RunContexts:
    """Belongs to the thread that judges. What was known of a run outlives its eviction."""

    def __init__(self, engine: Engine, reader: Reader) -> None:
        self._engine = engine
        self._reader = reader
        self._known: OrderedDict[str, RunContext] = OrderedDict()  # by finding

    def of(self, finding: Finding) -> RunContext:
        """The context of the run that a finding is about."""
        window = self._engine.window(finding.run_id)
        if window is not None:
            peers = [sender for sender in window.senders if not is_loopback(sender)]
            peer = " and ".join(peers) or None
            return self._keep(
                finding, run_context.of_window(window, finding, self._engine.policy, peer)
            )
        if (known := self._known.get(finding.id)) is not None:
            return known
        try:
            steps = self._reader.steps(finding.run_id, self._engine.policy)
        except StoreUnavailable:
            return RunContext()  # the page goes without; the store's failure is reported elsewhere
        return self._keep(finding, run_context.of_steps(steps, finding, self._engine.policy))

    def _keep(self, finding: Finding, context: RunContext) -> RunContext:
        self._known[finding.id] = context
        self._known.move_to_end(finding.id)
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)
        return context
