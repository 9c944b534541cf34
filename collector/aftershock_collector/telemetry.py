"""What the collector says about itself: every metric and every log line, as named events.

Metrics live in one registry of our own, so that embedding programs keep theirs. Reasons and kinds
are labels; ids never are. A log line that would repeat is written once per LOG_EVERY_S with a
count.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

from aftershock.model import Finding, Level, Report
from aftershock_collector.wording import clean

log = logging.getLogger("aftershock")

LOG_EVERY_S = 30.0  # a full disk says so twice a minute, not five hundred times a second
# Reasons to leave something out by design: nothing is lost, so nobody is warned.
BY_DESIGN = frozenset({"metric_not_measured", "action_without_target"})
QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SLOW_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0)


class Telemetry:
    """One collector's own metrics; methods are events that count and, where it matters, log."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"aftershock_{name}", says, labels, registry=registry)

        def gauge(name: str, says: str) -> Gauge:
            return Gauge(f"aftershock_{name}", says, registry=registry)

        def histogram(name: str, says: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"aftershock_{name}", says, buckets=buckets, registry=registry)

        # In.
        self.requests = counter("requests", "Requests answered", "transport", "signal", "answer")
        self.received = counter("received", "Spans, log events, samples read", "signal")
        self.received_bytes = counter("received_bytes", "Bytes of request bodies", "signal")
        self.stored = counter("stored", "Rows committed", "signal")
        self.duplicates = counter("duplicates", "Rows that were stored already")
        self.rejected = counter(
            "rejected", "Items refused; the response names the reason", "signal", "reason"
        )
        self.refused = counter("refused", "Requests and connections refused", "transport", "reason")
        self.trimmed = counter("trimmed", "Values cut from items that were kept", "reason")
        self.passed_over = counter("passed_over", "Records that say nothing about agents")
        self.dropped = counter("dropped", "Items lost on our side", "reason")
        self.set_aside = counter("set_aside", "Items left out of judging by design", "reason")
        self.queue_bytes = gauge("queue_bytes", "Bytes waiting to be stored")
        self.queue_requests = gauge("queue_requests", "Requests waiting to be stored")
        self.full = Gauge(
            "aftershock_full",
            "1 while a bound turns away what it should keep",
            ("bound",),
            registry=registry,
        )
        self.lag = histogram("lag_seconds", "From the end of a span to its arrival", SLOW_S)
        self.acknowledge = histogram("acknowledge_seconds", "From a request to its commit", QUICK_S)

        # Store.
        self.store_errors = counter("store_errors", "Writes that the store refused", "reason")
        self.store_writable = gauge("store_writable", "1 while the store takes writes")
        self.store_bytes = gauge("store_bytes", "Bytes that rows use")
        self.pruned = counter("pruned", "Rows removed for age or size", "table")

        # Judging.
        self.judge = histogram(
            "judge_seconds", "One conclusion: judging everything that is new", QUICK_S
        )
        self.runs_live = gauge("runs_live", "Runs in memory")
        self.series_live = gauge("series_live", "Metric series in memory")
        self.findings_closed = counter("findings_closed", "Findings closed", "kind", "reason")

        # Out.
        self.receivers = gauge("receivers", "Receivers of pages that are configured")
        self.deliveries = counter(
            "deliveries", "Attempts to deliver a message to a receiver", "receiver", "outcome"
        )
        self.forwarded = counter("forwarded", "Requests passed on", "signal", "outcome")
        self.forward_bytes = gauge("forward_queue_bytes", "Bytes waiting to be passed on")

        # Scraped and queried.
        self.scrapes = counter("scrapes", "Scrapes of Prometheus targets", "outcome")
        self.scrape_seconds = histogram("scrape_seconds", "One scrape of a target", QUICK_S)
        self.queries = counter("queries", "Queries to Prometheus", "outcome")
        self.failures = counter("failures", "Our own errors, stopped where they happened", "place")

        self.store_writable.set(1)
        self._logged: dict[str, tuple[float, int]] = {}  # event → logged_s at, repeated since

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The metrics in a format that an Accept header wants: OpenMetrics carries exemplars.

        Returns:
            The text, and its content type.
        """
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    # --- Events --------------------------------------------------------------------------------

    def read(self, signal: str, size: int, count: int, trimmed: Mapping[str, int]) -> None:
        """One request's body was read."""
        self.received_bytes.labels(signal).inc(size)
        self.received.labels(signal).inc(count)
        for reason, values in trimmed.items():
            self.trimmed.labels(reason).inc(values)

    def drop(self, reasons: Mapping[str, int]) -> None:
        """Items lost on our side, or left out by design, by reason."""
        for reason, count in reasons.items():
            if reason in BY_DESIGN:
                self.set_aside.labels(reason).inc(count)
                continue
            self.dropped.labels(reason).inc(count)
            self._warn(f"dropped {reason}", "dropped items: %s, reason: %s", count, reason)

    def fill(self, bounds: Mapping[str, bool]) -> None:
        """Which bounds are full."""
        for bound, is_full in bounds.items():
            self.full.labels(bound).set(is_full)

    def reject(self, signal: str, reasons: Mapping[str, int]) -> None:
        """Items refused. Not logged: the response tells the sender."""
        for reason, count in reasons.items():
            self.rejected.labels(signal, reason).inc(count)

    def refuse(self, transport: str, reason: str) -> None:
        """A request or a connection was refused before its body was read."""
        self.refused.labels(transport, reason).inc()
        self._warn(f"refused {reason}", "%s requests are refused, reason: %s", transport, reason)

    def concluded(self, report: Report, runs: int, series: int) -> None:
        """Everything that is new was judged once."""
        for claim in report.opened:
            self._found(claim.finding)
        for claim in report.closed:
            reason = "" if claim.closing is None else claim.closing.name.lower()
            self.findings_closed.labels(claim.finding.kind, reason).inc()
        self.drop(report.drops)
        self.runs_live.set(runs)
        self.series_live.set(series)

    def _found(self, finding: Finding) -> None:
        event = f"found {finding.level} {finding.kind}"
        skipped = self._due(event)
        if skipped is None:
            return
        more = f" ({skipped} more since)" if skipped else ""
        level = logging.WARNING if finding.level is Level.ALARM else logging.INFO
        agent, run, words = clean(finding.agent or "an agent"), finding.run_id[:8], finding.summary
        log.log(level, "%s of %s, run %s: %s%s", event, agent, clean(run), clean(words), more)

    def store_unavailable(self, reason: str, message: str) -> None:
        """The store cannot write; senders are answered "busy" and retry."""
        self.store_errors.labels(reason).inc()
        self.store_writable.set(0)
        self._warn(f"store {reason}", "the store cannot write (%s): %s", reason, message)

    def store_recovered(self, after_s: float) -> None:
        """The store writes again."""
        self.store_writable.set(1)
        log.warning("the store writes again after %.1f s", after_s)

    def delivered(self, receiver: str, outcome: str, error: str = "") -> None:
        """One attempt to deliver: delivered, retried, given_up, renewed or renewal_failed."""
        self.deliveries.labels(receiver, outcome).inc()
        if error:
            self._warn(f"deliver {receiver}", "%s: %s: %s", receiver, outcome, error)

    def scraped(self, target: str, outcome: str, took_s: float, error: str = "") -> None:
        """One read of a target: answered, failed, or starved (we did not run), and why."""
        self.scrapes.labels(outcome).inc()
        self.scrape_seconds.observe(took_s)
        if error:
            self._warn(f"scrape {target}", "cannot scrape %s: %s", target, error)

    def log_file_failed(self, path: str, problem: str) -> None:
        """A log file that should be followed could not be read; it is tried again."""
        self._warn(f"log {path}", "%s cannot be followed: %s", path, problem)

    def queried(self, outcome: str, error: str = "") -> None:
        """One query to Prometheus: answered, or failed and why."""
        self.queries.labels(outcome).inc()
        if error:
            self._warn("query", "%s", error)

    def failed(self, place: str, error: BaseException) -> None:
        """Our own error, stopped at `place`."""
        self.failures.labels(place).inc()
        if self._due(f"failed {place}") is not None:
            log.error("%s failed: %s", place, error, exc_info=error)

    def _warn(self, event: str, message: str, *values: object) -> None:
        skipped = self._due(event)
        if skipped is None:
            return
        if skipped:
            log.warning("%s (%d more since)", message % values, skipped)
        else:
            log.warning(message, *values)

    def _due(self, event: str) -> int | None:
        """How often it happened since it was logged; None: that was too recent to log it again."""
        now = time.monotonic()
        logged_s, repeated = self._logged.get(event, (-LOG_EVERY_S, 0))
        if now - logged_s < LOG_EVERY_S:
            self._logged[event] = (logged_s, repeated + 1)
            return None
        self._logged[event] = (now, 0)
        return repeated
