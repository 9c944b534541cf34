"""The plug-in point of receivers: one function for each service."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify import (
    alertmanager,
    email,
    grafana_api,
    opsgenie,
    otlp_receiver,
    pagerduty,
    slack,
    teams,
    webhook,
)
from aftershock_collector.notify.receiver import Content, OpenPages, Receiver

RECEIVERS: tuple[Callable[[OnCall, OpenPages], Iterable[Receiver]], ...] = (
    webhook.receivers,
    slack.receivers,
    pagerduty.receivers,
    alertmanager.receivers,
    opsgenie.receivers,
    teams.receivers,
    email.receivers,
    otlp_receiver.receivers,
    grafana_api.receivers,
)


def receivers_of(on_call: OnCall, open_pages: OpenPages = tuple) -> tuple[Receiver, ...]:
    """Every receiver that is configured."""
    return tuple(found for of in RECEIVERS for found in of(on_call, open_pages))


def paging(on_call: OnCall) -> tuple[str, ...]:
    """Names of the receivers that reach a person."""
    return tuple(r.name for r in receivers_of(on_call) if r.content is Content.PAGES)


def unpaged(on_call: OnCall) -> str | None:
    """What to write where pages reach no one; None where a receiver is configured."""
    if paging(on_call):
        return None
    return (
        "no one is paged: name a receiver under on_call in aftershock.yaml, such as "
        "webhook: {url: https://…}, or set AFTERSHOCK_WEBHOOK_URL; then aftershock send-test-page"
    )
