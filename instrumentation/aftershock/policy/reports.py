"""Tools that tell people of work, or close a paper about it: they are not the work itself."""

from __future__ import annotations

from functools import lru_cache

from aftershock.policy.irrevocable import LEAVING
from aftershock.policy.tiers import NAMESPACE, WORDS
from aftershock.policy.words import words_of

MESSAGES = words_of("""
    announce answer comment email inform mail message notify post reply respond send tell
""")
# What is told by the same words, and is more than a message.
MATTERS = LEAVING - MESSAGES
CLOSING = words_of("close complete done finish mark resolve set status transition update")
PAPERS = words_of("alert card case change finding incident issue jira story task ticket todo")


@lru_cache(maxsize=4_096)
def only_reports(tool: str) -> bool:
    """True for tools that send a message, or set the state of a ticket."""
    words = {word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)}
    if words & MESSAGES:
        return not words & MATTERS
    return bool(words & CLOSING and words & PAPERS)
