"""Known models: their context windows and list prices.

Prices change and contracts differ. `models` in aftershock.yaml wins over this table, and a cost on
the span wins over both. Cached and batched tokens cost less and very long prompts may cost more. A
model that is not in the table has no cost: an unknown one is not guessed from its family.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from aftershock.limits import Limits, Model
from aftershock.model import Outcome, Spent, StepKind
from aftershock.policy.price_list import CACHED, KNOWN

if TYPE_CHECKING:
    from aftershock.model import Step

# Steps that a budget counts.
COUNTED = frozenset({StepKind.INFERENCE, StepKind.TOOL_CALL, StepKind.RETRIEVAL, StepKind.HAND_OFF})

# What may follow a name without making it another model: a date, a number of a snapshot, `latest`.
# `preview`, `pro`, `mini`, `audio` and a further number of the version may not.
SNAPSHOT = re.compile(
    r"(?:[-@](?:20\d{6}|20\d{2}-\d{2}-\d{2}|0\d{2}|[01]\d[0-3]\d|latest))?(?:-v\d(?::\d)?)?"
)


def window_of(name: str, limits: Limits) -> int | None:
    """The context window of a model in tokens; None if it is not known."""
    if limits.context_window_tokens is not None:
        return limits.context_window_tokens
    for model in models_called(name, limits.models):
        if model.context_window is not None:
            return model.context_window
    return None


def cost_of(step: Step, limits: Limits) -> float | None:
    """US dollars of one inference, by its span or by list price; None if neither is known."""
    if step.cost_usd is not None or step.tokens is None:
        return step.cost_usd
    for model in models_called(step.name, limits.models):
        if model.input_usd is not None and model.output_usd is not None:
            sent, returned = step.tokens.input, step.tokens.output
            return (sent * model.input_usd + returned * model.output_usd) / 1e6
    return None


def cost_of_tokens(  # noqa: PLR0917
    name: str, fresh: int, cached: int, written: int, returned: int, limits: Limits
) -> float | None:
    """US dollars of one inference by list price, with what a cache saved; None: no known price."""
    own = name.lower().rpartition("/")[2]
    read, write = next((r, w) for pattern, r, w in CACHED if fnmatchcase(own, pattern))
    for model in models_called(name, limits.models):
        if model.input_usd is not None and model.output_usd is not None:
            sent = fresh + read * cached + write * written
            return (sent * model.input_usd + returned * model.output_usd) / 1e6
    return None


def spent_with(spent: Spent, step: Step, limits: Limits) -> Spent:
    """What is spent after one more step; an unknown cost counts as zero."""
    if step.kind not in COUNTED:
        return spent
    failed = step.action is not None and step.action.outcome is Outcome.FAILED
    return Spent(
        spent.steps + 1,
        spent.tokens + (step.tokens.total if step.tokens else 0),
        spent.cost_usd + (cost_of(step, limits) or 0.0),
        spent.tool_errors + failed,
    )


@lru_cache(maxsize=1_024)
def models_called(name: str, declared: tuple[Model, ...]) -> tuple[Model, ...]:
    """Entries that match a model, declared ones first; of `provider/name` the name is matched."""
    own = name.lower().rpartition("/")[2]
    theirs = [
        model
        for model in declared
        if fnmatchcase(own, model.pattern.lower()) or fnmatchcase(name, model.pattern)
    ]
    return (*theirs, *(model for model in KNOWN if _is_of(own, model.pattern)))


def _is_of(name: str, model: str) -> bool:
    """True for a model's name, and for that of one of its snapshots."""
    return name.startswith(model) and SNAPSHOT.fullmatch(name, len(model)) is not None
