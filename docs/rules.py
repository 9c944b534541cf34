"""The pages of rules: what each looks like when printed, and the limits that it obeys."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import aftershock.rules
from aftershock.rules import KINDS, Family, Lifetime, Rule, Timing, rule_of
from aftershock_collector.notify.alert_names import alert_name
from alerts.generate import alerts
from docs import settings
from docs.markdown import block, code, sentence, table

ROOT = Path(__file__).parent.parent
MODULES = Path(aftershock.rules.__file__).parent
SCENARIOS = ROOT / "tests" / "scenarios"
LIFETIMES = {
    Lifetime.STATE: "A state: the finding closes by itself when it no longer holds, or when the "
    "run ends.",
    Lifetime.ACTION: "An action: the finding stays open until a person has looked at it.",
}
TIMINGS = {
    Timing.STEPS: "After each step that can change its answer.",
    Timing.LIVE: "Beside a running system, as time passes; not on recordings.",
    Timing.CLOCK: "As time passes, on recordings too.",
}


def overview(folder: str = "") -> str:
    """Every rule by family, with the first sentence of its module."""
    rows = [
        (
            family_of(kind),
            f"[`{kind}`]({folder}{kind}.md)",
            sentence(owned_by(kind).partition(": ")[2]),
        )
        for kind in sorted(KINDS, key=lambda kind: list(Family).index(declared(kind).family))
    ]
    return table(("Family", "Rule", "Says"), rows)


def family_of(kind: str) -> str:
    """The family of a rule, as a heading."""
    return declared(kind).family.value.capitalize()


def declared(kind: str) -> Rule:
    """The rule that makes findings of a kind."""
    found = rule_of(kind)
    assert found is not None, kind
    return found


def facts(kind: str) -> str:
    """What the rule declares about itself, and its alert and runbook."""
    rule = declared(kind)
    name = alert_name(kind)
    severity = next(found.severity.value for found in alerts() if found.name == name)
    rows = [
        ("Family", family_of(kind)),
        ("About", LIFETIMES[rule.lifetime]),
        ("Judged", TIMINGS[rule.timing]),
        ("Alert", f"`{name}`, severity `{severity}`"),
        ("Runbook", f"`alerts/runbooks/{name}.md`"),
    ]
    return table(("", ""), rows)


def owned_by(rule: str) -> str:
    """The first line of a rule's module."""
    text = (MODULES / f"{rule}.py").read_text("utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def example(rule: str) -> str:
    """The first scenario of the rule's golden timeline, as the command prints it."""
    text = (SCENARIOS / f"{rule}.timeline.txt").read_text("utf-8")
    first = text.split("\n--- ")[0].removeprefix("--- ")
    title, _, body = first.partition("\n")
    return f"*{title.strip().capitalize()}:*\n\n{block(body)}"


def limits_of(rule: str) -> str:
    """The limits that a rule's module reads, and those that its modules of rules read for it."""
    used = sorted(set(_limits_in(f"aftershock.rules.{rule}", set())))
    if not used:
        return "It has no limit of its own."
    return settings.limits(*used)


def all_alerts() -> str:
    """Every alert, with who is told and its runbook."""
    rows = [
        (code(found.name), found.severity.value, found.team.value, sentence(found.summary))
        for found in alerts()
    ]
    return table(("Alert", "Severity", "Team", "Says"), rows)


def _limits_in(module: str, seen: set[str]) -> Iterator[str]:
    path = MODULES / f"{module.rpartition('.')[2]}.py"
    if module in seen or not module.startswith("aftershock.rules.") or not path.is_file():
        return
    seen.add(module)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Attribute(value=ast.Name(id="limits"), attr=name):
                yield name
            case ast.ImportFrom(module=str(other)):
                yield from _limits_in(other, seen)
            case _:
                pass
