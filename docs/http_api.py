"""The HTTP API for the documentation: its table, and the OpenAPI document as a file."""

from __future__ import annotations

import json

from aftershock_collector.sources.openapi import OPERATIONS, answers_of, document, permission_of
from docs.markdown import code, table


def operations(group: str) -> str:
    """What can be asked of one group: path, needed scope, answers."""
    rows = [
        (
            code(f"{each.method.upper()} {each.path}"),
            each.says,
            code(permission_of(each) or "") or "none",
            ", ".join(str(status) for status in answers_of(each)),
        )
        for each in OPERATIONS
        if each.group == group
    ]
    return table(("Request", "What it is", "Scope", "Answers"), rows)


def answers() -> str:
    """What each status means, by the first words for it."""
    found: dict[int, str] = {}
    for each in OPERATIONS:
        for status, answered in answers_of(each).items():
            if status >= 400:
                found.setdefault(status, answered.says)
    return table(("Status", "Means"), [(str(status), found[status]) for status in sorted(found)])


def openapi() -> str:
    """docs/reference/openapi.json."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
