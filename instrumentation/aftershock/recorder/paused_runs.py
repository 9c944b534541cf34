"""Paused runs: a run that waits for a person goes on when its conversation does.

The framework's call returns while somebody is asked, and another call of it goes on later with the
same conversation: to people that is one task.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from aftershock.attributes import CONVERSATION_ID, RUN_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

PAUSED_MAX = 2_000  # runs that wait for somebody in this process

_paused: OrderedDict[str, str] = OrderedDict()  # conversation → run


def pause(span: Any) -> None:
    """A call waits for somebody: the next frame of its conversation belongs to its run."""
    own: Mapping[str, Any] = getattr(span, "attributes", None) or {}
    conversation, run_id = own.get(CONVERSATION_ID), own.get(RUN_ID)
    if isinstance(conversation, str) and isinstance(run_id, str):
        _paused[conversation] = run_id
        if len(_paused) > PAUSED_MAX:
            _paused.popitem(last=False)


def resumed(conversation: object) -> str | None:
    """The run that a conversation goes on with; it waits no longer."""
    return _paused.pop(conversation, None) if _paused and isinstance(conversation, str) else None
