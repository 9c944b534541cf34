"""Where a page leads: incident, timeline, trace, Grafana, runbook, and links that act."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from aftershock_collector.notify.alert_names import alert_name
from aftershock_collector.notify.grafana_annotations import INCIDENT_BOARD, path_of
from aftershock_collector.notify.page import PageLink
from aftershock_collector.notify.signed_links import LinkAction, LinkSigner
from aftershock_collector.store.incidents import Incident

ALERTS_MAX = 3  # that a page leads to; the incident lists the rest


@dataclass(frozen=True, slots=True)
class Links:
    """How addresses are made. `base`: of the collector's own pages, as receivers reach them."""

    base: str | None = None
    grafana: str | None = None
    signer: LinkSigner | None = None
    trace_url: str | None = None  # with {trace_id}

    def run(self, run_id: str) -> str | None:
        """The timeline of a run."""
        return None if self.base is None else f"{self.base}/runs/{quote(run_id, safe='')}"

    def of(
        self, incident: Incident, run_id: str, now_ns: int, trace_id: str = ""
    ) -> tuple[PageLink, ...]:
        """The links of an incident's page, the most useful first."""
        found: list[PageLink] = []
        if self.base is not None:
            number = incident.number
            found.append(PageLink("Incident", f"{self.base}/incidents/{number}"))
            if incident.closed_at_ns is None:
                found += self._acting(number, now_ns, ("Acknowledge", LinkAction.ACKNOWLEDGE))
            name = alert_name(incident.kinds[0])
            found.append(PageLink("Runbook", f"{self.base}/runbooks/{name}"))
            found.append(PageLink("Timeline", self.run(run_id) or ""))
            if incident.entities:  # something degraded, so that there is a question
                found += self._acting(number, now_ns, ("Was it the agent?", LinkAction.FEEDBACK))
            found += self._acting(number, now_ns, ("Mute", LinkAction.MUTE))
        return (*found, *self.elsewhere(incident, run_id, now_ns, trace_id))

    def _acting(
        self, number: int, now_ns: int, named: tuple[str, LinkAction]
    ) -> tuple[PageLink, ...]:
        """A signed link; none where nothing signs."""
        if self.base is None or self.signer is None:
            return ()
        label, action = named
        return (
            PageLink(label, self.signer.url(self.base, action, number, now_ns // 1_000_000_000)),
        )

    def elsewhere(
        self, incident: Incident, run_id: str, now_ns: int, trace_id: str
    ) -> tuple[PageLink, ...]:
        """What other programs show of an incident: Grafana, the trace, the alerts' own pages."""
        found: list[PageLink] = []
        if self.grafana is not None:
            path = path_of(INCIDENT_BOARD, run_id, incident.opened_at_ns, now_ns)
            found.append(PageLink("Grafana", f"{self.grafana.rstrip('/')}{path}"))
        if self.trace_url is not None and trace_id:
            address = self.trace_url.replace("{trace_id}", quote(trace_id, safe=""))
            found.append(PageLink("Trace", address))
        alerts = [(alert.name, alert.url) for alert in incident.alerts if alert.url]
        found += [PageLink(f"Alert {name}", url) for name, url in alerts[:ALERTS_MAX]]
        return tuple(found)
