"""Sessions of coding agents, from their files: judged as runs, reported, and stored if wanted.

Spans are stored without content unless it is asked for. Nothing is ever sent: no page, no request.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

from aftershock.attributes import ACTION_TIER, TOOL_ARGUMENTS
from aftershock.limits import Limits
from aftershock.model import Step, StepKind
from aftershock.policy.policy import Policy
from aftershock.policy.prices import cost_of_tokens
from aftershock_collector.engine.baseline import Baseline
from aftershock_collector.engine.engine import Engine
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.belief import TIERS
from aftershock_collector.reading.decoder import PROTOBUF, Readers, Signal, decode
from aftershock_collector.reading.dialects import parsed
from aftershock_collector.reading.without_content import without_content
from aftershock_collector.review.session_report import Called, SessionReport
from aftershock_collector.sources.transcripts import Usage
from aftershock_collector.sources.transcripts.files import SessionFiles, read_session
from aftershock_collector.sources.transcripts.session import CALLED_SUCCESS
from aftershock_collector.store.interface import Store


class TranscriptImporter:
    """Reads sessions one after another into one report, and into a store where there is one."""

    def __init__(
        self, store: Store | None, policy: Policy, now_ns: int, *, content: bool = False
    ) -> None:
        self.report = SessionReport()
        self.stored = 0  # spans that were not known before
        self._store = store
        self._policy = policy
        self._now_ns = now_ns
        self._content = content
        self._baseline = Baseline(policy.limits)

    def read(self, files: SessionFiles) -> bool:
        """One session; False where nothing in its files is known.

        Raises:
            OSError: a file cannot be opened.
        """
        limits = self._policy.limits
        session = read_session(files, lambda model, usage: list_price(model, usage, limits))
        if session is None:
            return False
        engine = Engine(self._policy, live=False, baseline=self._baseline)
        steps: list[Step] = []
        calls: list[Called] = []
        for body in session.bodies():
            batch = decode(body, Signal.TRACES, PROTOBUF, Readers.by(self._policy), self._now_ns)
            self.report.rejected.update(batch.rejected)
            found = batch.steps
            engine.observe(found)
            steps += found
            calls += [called for pair in batch.spans if (called := called_in(*pair)) is not None]
            if self._store is not None:
                kept = [
                    (span if self._content else without_content(span, step), step)
                    for span, step in batch.spans
                ]
                self.stored += self._store.append(kept, (), (), self._now_ns).spans
        judged = engine.complete()
        claims = {claim.finding.id: claim for claim in (*judged.opened, *judged.closed)}
        self.report.rejected.update(session.rejected)
        self.report.rejected.update(judged.drops)
        self.report.add(
            session.service, session.folder, calls, steps, claims.values(), self._policy
        )
        if self._store is not None:
            self._store.record(judged, (), self._now_ns)
        return True


def list_price(model: str, usage: Usage, limits: Limits) -> float | None:
    """US dollars of one inference; None where the model's price is not known."""
    return cost_of_tokens(model, usage.fresh, usage.cached, usage.written, usage.returned, limits)


def called_in(span: Span, step: Step | None) -> Called | None:
    """A tool call as the report reads it; None for every other step."""
    if step is None or step.kind is not StepKind.TOOL_CALL or step.action is None:
        return None
    given = parsed(span.attributes.get(TOOL_ARGUMENTS))
    arguments: Mapping[str, Any] = (
        cast("dict[str, Any]", given) if isinstance(given, dict) else {"input": given}
    )
    claimed = [tier for tier in TIERS if tier.value == span.attributes.get(ACTION_TIER)]
    tier = max((step.action.tier, *claimed), key=TIERS.index)
    return Called(step, arguments, tier, span.attributes.get(CALLED_SUCCESS) is True)


def since_of(age_s: float | None) -> float | None:
    """The moment before which files are passed over, in seconds since the epoch; None: none is."""
    return None if age_s is None else time.time() - age_s
