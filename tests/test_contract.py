"""One name, six places: a rule is called the same wherever it appears."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from aftershock import attributes
from aftershock.rules import KINDS as RULES
from aftershock_collector.notify.alert_names import alert_name
from alerts.generate import alerts, differences
from alerts.rule import Team
from dashboards.generate import DASHBOARDS, text_of

ROOT = Path(__file__).parent.parent
RUNBOOKS = ROOT / "alerts" / "runbooks"
README_LINES_MAX = 150


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_module_a_test_scenarios_a_runbook_and_a_page(rule: str) -> None:
    places = [
        ROOT / "instrumentation" / "aftershock" / "rules" / f"{rule}.py",
        ROOT / "tests" / "instrumentation" / "rules" / f"test_{rule}.py",
        ROOT / "tests" / "scenarios" / f"{rule}.py",
        ROOT / "tests" / "scenarios" / f"{rule}.timeline.txt",
        RUNBOOKS / f"{alert_name(rule)}.md",
        ROOT / "docs" / "rules" / f"{rule}.md",
    ]

    assert [] == [str(place.relative_to(ROOT)) for place in places if not place.exists()]


def test_every_rule_has_an_alert_and_is_shown_on_a_dashboard() -> None:
    named = {alert.name for alert in alerts()}
    shown = "".join(text_of(dashboard) for dashboard in DASHBOARDS)

    assert [] == [rule for rule in RULES if alert_name(rule) not in named]
    assert [] == [rule for rule in RULES if rule not in shown]


def test_every_alert_has_a_runbook_that_says_what_to_do_and_a_test_by_the_minute() -> None:
    headings = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]
    found = {path.stem: path.read_text(encoding="utf-8") for path in RUNBOOKS.glob("*.md")}
    tested = {
        case["alertname"]
        for path in (ROOT / "alerts" / "tests").glob("*.yml")
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
        for case in test["alert_rule_test"]
    }
    wanted = {alert.name for alert in alerts()}

    assert wanted == set(found)
    assert wanted == tested
    for text in found.values():
        assert headings == [line for line in text.splitlines() if line.startswith("## ")]


def test_an_agents_runbook_says_how_to_stop_the_agent() -> None:
    agents = [alert.name for alert in alerts() if alert.team is Team.AGENTS]

    for name in agents:
        assert "`kill PID`" in (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8"), name


def test_links_of_alerts_lead_to_dashboards_that_there_are() -> None:
    uids = {dashboard.uid for dashboard in DASHBOARDS}

    assert set() == {alert.dashboard for alert in alerts()} - uids


def test_rule_files_are_what_the_code_writes() -> None:
    assert [] == differences()


def test_every_module_among_the_rules_that_defines_a_rule_is_judged() -> None:
    folder = ROOT / "instrumentation" / "aftershock" / "rules"
    defining = {
        path.stem
        for path in folder.glob("*.py")
        if re.search(
            rf"^def {path.stem}\(run: Run, limits: Limits\)", path.read_text(), re.MULTILINE
        )
    }

    assert set(RULES) == defining


def test_our_own_attributes_stand_in_our_own_namespace_and_are_spelled_once() -> None:
    names = {
        name: value
        for name, value in vars(attributes).items()
        if name.isupper() and isinstance(value, str)
    }

    assert len(names) == len(set(names.values()))


def test_the_readme_sells_and_starts_and_leaves_the_rest_to_the_documentation() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(readme.splitlines()) <= README_LINES_MAX
    assert "make demo" in readme.partition("<!-- first screen ends -->")[0]
