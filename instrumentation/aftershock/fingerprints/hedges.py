"""Answers of a model in other languages than English that deny something, or regret it."""

from __future__ import annotations

import re

HEDGE = re.compile(
    r"""\b(?:nicht|kein\w{0,2}|leider|konnte|ohne|weder
          |no\s(?:se|hay|ha|he|pude|pudo|fue|está|es|existe)|ningun[oa]?|ningún|lamentablemente
          |aucune?|ne\s\w+\spas|n['’]\w+\s(?:pas|aucun)|malheureusement|impossible|échec
          |nessun[oa]?|non\s(?:è|ho|ha|sono|c['’]è|si)|purtroppo|senza
          |não|nenhuma?|infelizmente
          |niet|geen|helaas|inte|inga|tyvärr|niestety|brak|nie\s(?:ma|udało|można|znaleziono)
          |değil|yok|maalesef|не|нет|нельзя|ни)\b
      | [没沒未不无無] | ません | なかった | ない | できず | 없 | 못\s?(?:했|찾) | 않""",
    re.IGNORECASE | re.VERBOSE,
)


def hedges(text: str) -> bool:
    """True for a text that says, in one of these languages, that something is not so."""
    return HEDGE.search(text) is not None
