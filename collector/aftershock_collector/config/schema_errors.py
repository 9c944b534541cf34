"""Errors of the schema, as whoever wrote the file needs them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import yaml
from jsonschema import ValidationError

WORDS = {
    "object": "a mapping (key: value lines)",
    "array": "a list (lines that begin with -)",
    "string": "text (in quotes, if it looks like something else)",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
}


def meant(error: ValidationError) -> ValidationError | None:
    """What is wrong by the one alternative whose kind of value was given; None: it is none."""
    wrong = list(error.context or ())
    others = {one.schema_path[0] for one in wrong if one.validator == "type" and not one.path}
    left = [one for one in wrong if one.schema_path[0] not in others]
    return left[0] if len({one.schema_path[0] for one in left}) == 1 else None


def wanted(kind: str, form: Mapping[str, Any]) -> str:
    """The kind of value that a form of the schema asks for, with the schema's own example."""
    if "description" in form and "pattern" in form:
        return str(form["description"])
    if "examples" not in form:
        return WORDS.get(kind, kind)
    example = yaml.safe_dump(form["examples"][0], default_flow_style=True, width=math.inf).strip()
    return f"{WORDS.get(kind, kind)}, such as {example}"
