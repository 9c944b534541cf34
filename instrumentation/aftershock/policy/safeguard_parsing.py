"""Safeguards of a parsed policy file. Every mistake is an error that names the key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aftershock.policy.entries import ANY, PolicyError
from aftershock.policy.readers import (
    read_list,
    read_mapping,
    read_number,
    read_seconds,
    read_target,
    read_text,
)
from aftershock.policy.safeguards import ASSUMED_AGE_S, OBSERVED_S, Assumed, CanaryRule, Explain

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str | int, ...]

REQUIRE = "require"
METRIC = re.compile(r"^[\w:.]+(?:\s*/\s*[\w:.]+)?$")
METRIC_KEYS = frozenset({"metric", "of", "below", "above", "max_age"})
FACT_KEYS = frozenset({"fact", "subject", "equals", "max_age"})
CANARY_KEYS = frozenset(
    {"argument", "factor", "current", "first", "environment", "change", "observe"}
)


def read_explain(body: Mapping[str, Any], path: Path) -> Explain | None:
    """`explain`: true, false, `require`, or {argument: NAME}."""
    value = body.get("explain")
    if value is None:
        return None
    if isinstance(value, bool):
        return Explain(value)
    if value == REQUIRE:
        return Explain(is_expected=True, is_required=True)
    if not isinstance(value, dict):
        raise PolicyError((*path, "explain"), "must be true, false, require or {argument: NAME}")
    here = (*path, "explain")
    named = read_text(read_mapping(value, here, {"argument"}).get("argument"), (*here, "argument"))
    return Explain(is_expected=True, is_required=True, argument=named)


def read_assumed(body: Mapping[str, Any], path: Path) -> tuple[Assumed, ...] | None:
    """`assumes`: what must be so now, by a metric or by what the run was shown."""
    if "assumes" not in body:
        return None
    here = (*path, "assumes")
    listed = read_list(body["assumes"], here)
    return tuple(read_one_assumed(one, (*here, place)) for place, one in enumerate(listed))


def read_one_assumed(value: Any, path: Path) -> Assumed:
    """One entry of `assumes`."""
    body = read_mapping(value, path, METRIC_KEYS | FACT_KEYS)
    if ("metric" in body) == ("fact" in body):
        raise PolicyError(path, "needs one of 'metric' and 'fact'")
    known = METRIC_KEYS if "metric" in body else FACT_KEYS
    for key in body:
        if key not in known:
            raise PolicyError((*path, key), f"does not belong to a {next(iter(body))}")
    age_s = read_seconds(body, "max_age", path) or ASSUMED_AGE_S
    if "fact" in body:
        subject = read_text(body.get("subject", ANY), (*path, "subject"))
        if "equals" not in body:
            raise PolicyError(path, "needs 'equals': the value that the fact must have")
        equals = read_text(body["equals"], (*path, "equals"))
        fact = read_text(body["fact"], (*path, "fact"))
        return Assumed(fact=fact, subject=subject, equals=equals, max_age_s=age_s)
    metric = read_text(body["metric"], (*path, "metric"))
    if METRIC.match(metric) is None:
        raise PolicyError((*path, "metric"), "must be NAME, or NAME / NAME")
    below, above = read_number(body, "below", path), read_number(body, "above", path)
    if below is None and above is None:
        raise PolicyError(path, "needs 'below' or 'above'")
    of = () if "of" not in body else read_target(body["of"], (*path, "of"))
    return Assumed(metric=metric, of=of, below=below, above=above, max_age_s=age_s)


def read_canary(body: Mapping[str, Any], path: Path) -> CanaryRule | None:
    """`canary`: how a change is rolled out."""
    if "canary" not in body:
        return None
    here = (*path, "canary")
    given = read_mapping(body["canary"], here, CANARY_KEYS)
    factor = read_number(given, "factor", here)
    if factor is not None and factor <= 1:
        raise PolicyError((*here, "factor"), "must be above 1, such as 2")
    for key, needed in (("factor", "argument"), ("argument", "factor"), ("first", "environment")):
        if key in given and needed not in given:
            raise PolicyError(here, f"{key!r} needs {needed!r}")
    texts = {
        key: read_text(given[key], (*here, key))
        for key in ("argument", "current", "first", "environment", "change")
        if key in given
    }
    if "current" in texts and METRIC.match(texts["current"]) is None:
        raise PolicyError((*here, "current"), "must be NAME, or NAME / NAME")
    return CanaryRule(
        texts.get("argument"),
        factor,
        texts.get("current"),
        texts.get("first"),
        texts.get("environment", ""),
        texts.get("change", ""),
        read_seconds(given, "observe", here) or OBSERVED_S,
    )
