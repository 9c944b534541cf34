"""Tools that talk with a person: they speak, or they wait for what is said."""

from __future__ import annotations

from functools import lru_cache

from aftershock.policy.tiers import own_words
from aftershock.policy.words import words_of

SPEAKING = words_of("""
    announce ask prompt reprompt say speak speech tell tts utter
    dire dites fragen sagen sprechen decir hablar parlare falar
""")
LISTENING = words_of("""
    asr collect dtmf gather hear listen recognise recognize stt transcribe voice
    hoeren zuhoeren ecouter escuchar ascoltare ouvir
""")


@lru_cache(maxsize=4_096)
def speaks(tool: str) -> bool:
    """True for tools that say something to a person, by their names."""
    return bool(SPEAKING & own_words(tool))


@lru_cache(maxsize=4_096)
def listens(tool: str) -> bool:
    """True for tools that wait for what a person says or presses."""
    return bool(LISTENING & own_words(tool))
