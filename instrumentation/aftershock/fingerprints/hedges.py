"""Answers of a model in other languages than English that deny something, or regret it."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W\d_]+")
HEDGING = frozenset(
    WORD.findall("""
        nicht kein keine keinen keinem keiner leider konnte konnten ohne weder
        ningun ningún ninguno ninguna lamentablemente
        aucun aucune malheureusement impossible échec
        nessun nessuno nessuna purtroppo senza
        não nenhum nenhuma infelizmente
        niet geen helaas inte inga tyvärr niestety brak değil yok maalesef
        не нет нельзя
    """)
)
# Words that deny only beside another one: "no" is English too.
NEGATIONS = frozenset(["n", "ne", "nie", "no", "non"])
NEGATED = re.compile(
    r"""\b(?:no\s(?:se|hay|ha|he|pude|pudo|fue|está|es|existe)
          | ne\s\w{1,20}\spas | n['’]\w{1,20}\spas
          | non\s(?:è|ho|ha|sono|c['’]è|si) | nie\s(?:ma|udało|można|znaleziono))\b""",
    re.IGNORECASE | re.VERBOSE,
)
IN_OTHER_SCRIPTS = re.compile(
    r"[没沒未不无無] | ません | なかった | ない | できず | 없 | 못\s?[했찾] | 않", re.VERBOSE
)


def hedges(text: str) -> bool:
    """True for a text that says, in one of these languages, that something is not so."""
    words = set(WORD.findall(text.casefold()))
    if words & HEDGING or (words & NEGATIONS and NEGATED.search(text)):
        return True
    return not text.isascii() and IN_OTHER_SCRIPTS.search(text) is not None
