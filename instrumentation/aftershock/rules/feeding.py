"""Equal writes of which each takes over another page of a list: a copy, and no repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.fingerprints.fingerprint import PAGINATED
from aftershock.model import Action, Outcome, Step
from aftershock.rules.actions import answers_a_question

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_fed(lane: Sequence[Step], start: int, end: int) -> bool:
    """True where a further page of a list was read between two places of a lane.

    What is written then is that page, even if the call does not say so.
    """
    for step in lane[start + 1 : end]:
        page = step.action
        if page is None or page.outcome is not Outcome.OK or not answers_a_question(page):
            continue
        same = [one.action for one in lane[: start + 1] if one.action and one.name == step.name]
        if same and is_next_page(page, same[-1]) and not any(is_same_page(page, x) for x in same):
            return True
    return False


def is_next_page(page: Action, before: Action) -> bool:
    """True for a read by a page's number, or by something that the read before it returned."""
    stem = page.arguments.stem
    if stem and stem.startswith(PAGINATED):
        return True
    named = {int(one.rpartition("=")[2], 16) for one in page.ids}
    known = {int(one.rpartition("=")[2], 16) for one in before.ids}
    return bool((named - known) & (before.words or frozenset()))


def is_same_page(page: Action, other: Action) -> bool:
    """True for a read with the arguments or with the answer of another one."""
    if page.arguments.digest == other.arguments.digest or page.result is None:
        return True
    return other.result is not None and page.result.digest == other.result.digest
