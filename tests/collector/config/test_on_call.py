"""The section `on_call`: receivers by name, routes, secrets in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from aftershock_collector.config.load import ConfigurationError, load
from aftershock_collector.config.on_call import Mail, OnCall, QuietHours, Route


def loaded(tmp_path: Path, text: str) -> OnCall:
    place = tmp_path / "aftershock.yaml"
    place.write_text(text, encoding="utf-8")
    return load(place, {"AFTERSHOCK_HOME": str(tmp_path)}).on_call


def test_every_setting_of_on_call_reaches_its_field(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hush\n", encoding="utf-8")
    found = loaded(
        tmp_path,
        """
on_call:
  webhook: {url: "http://hook", secret: hush, wait: 2s, severities: [critical]}
  teams: {url: "http://teams"}
  opsgenie: {api_key: key}
  email: {host: mail, from: a@b.c, to: [d@e.f], user: me, password: {file: password}}
  receivers:
    payments:
      slack: {token: xoxb, channel: "#payments"}
      wait: 10s
  routes:
    - {agent: "pay-*", team: payments, receivers: [payments, webhook]}
  quiet_hours: {from: "22:00", until: "07:30", timezone: Europe/Berlin}
  wait: 3s
  action_expiry: 2d
  pages_per_minute_max: 5
""",
    )
    (payments,) = found.named("slack")

    assert (found.webhook_secret, found.teams_url, found.opsgenie_api_key) == (
        "hush", "http://teams", "key",
    )  # fmt: skip
    assert found.mail == Mail("mail", "a@b.c", ("d@e.f",), 587, "starttls", "me", "hush")
    assert (payments.name, payments.text("channel")) == ("payments", "#payments")
    assert found.routes == (Route("pay-*", "payments", ("payments", "webhook")),)
    assert found.quiet_hours == QuietHours(22 * 60, 7 * 60 + 30, "Europe/Berlin")
    assert [found.wait_of(n) for n in ("webhook", "payments", "teams")] == [2.0, 10.0, 3.0]
    assert found.wants("webhook", "critical")
    assert not found.wants("webhook", "error")
    assert (found.action_expiry_s, found.pages_per_minute_max) == (2 * 86_400.0, 5)
    assert "hush" not in repr(found)
    assert "xoxb" not in repr(found)


def test_a_route_to_a_receiver_that_is_not_there_is_a_problem_with_its_line(
    tmp_path: Path,
) -> None:
    text = 'on_call:\n  webhook: {url: "http://x"}\n  routes:\n    - {receivers: [webhok]}\n'
    with pytest.raises(ConfigurationError) as raised:
        loaded(tmp_path, text)

    (problem,) = raised.value.problems
    assert ":4:" in str(problem)
    assert "did you mean webhook" in str(problem).replace("'", "")


@pytest.mark.parametrize(
    "section",
    [
        "slack: {}",
        "email: {host: mail, from: a@b.c, to: []}",
        'quiet_hours: {from: "25:00", until: "07:00"}',
        "receivers: {x: {wait: 1s}}",
        "timezone: Mars/Base",
        'quiet_hours: {from: "22:00", until: "07:00", timezone: Mars/Base}',
        "trace_url: https://jaeger.example/trace",
        "webhook: {url: 'http://x', severities: [loud]}",
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, section: str) -> None:
    with pytest.raises(ConfigurationError):
        loaded(tmp_path, f"on_call:\n  {section}\n")


def test_people_may_reach_grafana_at_another_address_than_the_collector(tmp_path: Path) -> None:
    inside = "on_call: {grafana: {url: 'http://grafana:3000'}}\n"
    both = "on_call: {grafana: {url: 'http://grafana:3000'}, dashboards_url: 'https://g.example'}\n"

    assert loaded(tmp_path, inside).dashboards == "http://grafana:3000"
    assert loaded(tmp_path, both).dashboards == "https://g.example"
    assert loaded(tmp_path, both).grafana_url == "http://grafana:3000"
