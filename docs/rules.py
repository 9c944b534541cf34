"""The pages of rules: what each looks like when printed, and the limits that it obeys."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import aftershock.rules
from aftershock_collector.notify.payloads import alert_name
from alerts.generate import alerts
from docs import settings
from docs.markdown import block, table

ROOT = Path(__file__).parent.parent
MODULES = Path(aftershock.rules.__file__).parent
SCENARIOS = ROOT / "tests" / "scenarios"
NAMES = tuple(
    rule.__name__ for rule in (*aftershock.rules.STEP_RULES, *aftershock.rules.TIMED_RULES)
)
GROUPS = (
    ("Loops", aftershock.rules.LOOP_RULES),
    ("Context", aftershock.rules.CONTEXT_RULES),
    ("Control", aftershock.rules.CONTROL_RULES),
    ("Limits", aftershock.rules.LIMIT_RULES),
    ("Time", aftershock.rules.TIMED_RULES),
)


def overview(folder: str = "") -> str:
    """Every rule by family, with the first sentence of its module."""
    rows = [
        (family, f"[`{rule.__name__}`]({folder}{rule.__name__}.md)", owned_by(rule.__name__))
        for family, rules in GROUPS
        for rule in rules
    ]
    return table(("Family", "Rule", "Says"), rows)


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


def alert(rule: str) -> str:
    """The alert and the runbook of a rule."""
    name = alert_name(rule)
    severity = next(found.severity.value for found in alerts() if found.name == name)
    return f"Alert `{name}` (severity `{severity}`), runbook `alerts/runbooks/{name}.md`."


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
