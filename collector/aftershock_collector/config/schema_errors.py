"""Errors of the schema, as whoever wrote the file needs them."""

from __future__ import annotations

from jsonschema import ValidationError


def meant(error: ValidationError) -> ValidationError | None:
    """What is wrong by the one alternative whose kind of value was given; None: it is none."""
    wrong = list(error.context or ())
    others = {one.schema_path[0] for one in wrong if one.validator == "type" and not one.path}
    left = [one for one in wrong if one.schema_path[0] not in others]
    return left[0] if len({one.schema_path[0] for one in left}) == 1 else None
