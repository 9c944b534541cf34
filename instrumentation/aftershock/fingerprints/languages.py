"""What services say in German, Spanish, French, Italian and Portuguese, as the English patterns.

Only phrases that answers of programs are made of: that something failed, was refused, is not there,
goes on, or changed nothing.
"""

from __future__ import annotations

import re

from aftershock.fingerprints import other_languages
from aftershock.fingerprints.screening import Screened
from aftershock.model import AnswerState

FAILED = Screened(
    r"""^\W{0,4}(?:
          (?:fehler|erreur|errore|erro|error)(?:\s(?:beim?|bei|in|im|al|en|lors|durante|ao|na|no|du
             |de|nel|di)\b|\s?[:!])
        | zeitüberschreitung | zugriff\sverweigert | acceso\sdenegado | accès\srefusé
        | accesso\snegato | acesso\snegado
        | tiempo\s(?:de\sespera\s)?agotado | délai\s(?:d['’]attente\s)?dépassé
        | tempo\s(?:scaduto|esaurito|esgotado)
        | (?:[\w\-]+\s){1,6}?(?:ist\s|sind\s|a\s|ha\s|è\s|hat\s)?
          (?:fehlgeschlagen|gescheitert|échoué|falló|fallid[oa]|fallit[oa]|falhou|échec)\b
        )""",
    re.IGNORECASE | re.VERBOSE,
)
NOTHING = Screened(
    r"""^\W*(?:
          (?:es\swurden?\s)?(?:keine|kein|keinen)\s(?:\w+\s){0,2}?
            (?:treffer|ergebnisse?|daten|einträge|datensätze|datensatz|dokumente?|zeilen)\b
        | nichts\sgefunden | (?:\w+\s){0,2}nicht\sgefunden
        | sin\s(?:resultados|datos|coincidencias)
        | no\s(?:se\s(?:ha|han|encontró|encontraron)|hay)\s(?:encontrado\s)?(?:\w+\s){0,2}?
            (?:resultados?|datos|registros?|coincidencias?|documentos?)\b
        | aucune?\s(?:\w+\s)?(?:résultats?|données?|enregistrements?|documents?|lignes?)\b
        | nessun[oa]?\s(?:\w+\s)?(?:risultat[oi]|dat[oi]|record|document[oi]|rig[ah]e?)\b
        | nenhuma?\s(?:\w+\s)?(?:resultados?|dados?|registros?|registos?|documentos?|linhas?)\b
        )[^.\n]{0,60}\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
PERSON = Screened(
    r"""(?:wartet|warten|wartend)\sauf\s(?:die\s|eine\s)?
          (?:freigabe|genehmigung|bestätigung|prüfung)
      | (?:freigabe|genehmigung)\s(?:ist\s)?(?:ausstehend|steht\s(?:noch\s)?aus|erforderlich)
      | (?:pendiente\sde|a\sla\sespera\sde|espera)\s(?:la\s)?(?:aprobación|revisión|autorización)
      | en\sattente\s(?:d['’]|de\s)(?:l['’])?(?:approbation|autorisation|validation)
      | in\sattesa\sdi\s(?:approvazione|autorizzazione|conferma)
      | (?:aguardando|aguarda|pendente\sde)\s(?:a\s)?(?:aprovação|autorização|confirmação)""",
    re.IGNORECASE | re.VERBOSE,
)
UNCHANGED = Screened(
    r"""\bkeine\s(?:\w+\s)?änderungen\b | \bunverändert\b
      | \bbereits\s(?:vorhanden|aktuell|auf\sdem\sneuesten\sstand|angelegt|erledigt)\b
      | \bsin\scambios\b | \bya\s(?:existe|está\sactualizad[oa])\b
      | \baucune?\s(?:changement|modification)\b | \binchangée?s?\b | \bdéjà\sà\sjour\b
      | \bexiste\sdéjà\b
      | \bnessuna\smodifica\b | \binvariat[oai]\b | \bgià\s(?:esistente|aggiornat[oa]|presente)\b
      | \bsem\salterações\b | \bjá\s(?:existe|está\satualizad[oa])\b""",
    re.IGNORECASE | re.VERBOSE,
)
REFUSED = Screened(
    r"""\b(?:ist|sind|war|wurden?)\s(?:\w+\s){0,3}?
          (?:abgelehnt|verweigert|zurückgewiesen|ungültig)\b
      | \bnicht\s(?:möglich|erlaubt|gestattet|zulässig|berechtigt|gültig|angenommen)\b
      | \b(?:kann|können|konnten?|darf|dürfen)\s(?:\w+\s){0,5}?nicht\b | \bleider\s(?:nicht|kein)
      | \bno\s(?:es|fue|ha\ssido)\sposible\b | \bno\sse\s(?:puede|pudo|ha\spodido|permite)\b
      | \b(?:fue|ha\ssido|está)\s(?:rechazad|denegad)[oa]\b
      | \bno\s(?:está\s|es\s)?(?:permitid|autorizad|válid)[oa]\b
      | \bn['’](?:est|a)\spas\s(?:possible|autorisée?|permise?|valide|pu\b)
      | \bimpossible\sde\b | \b(?:est|a\sété)\s(?:refusée?|rejetée?|invalide)\b
      | \bnon\s(?:è|è\sstato|era)\s?(?:stato\s)?possibile\b | \bimpossibile\b
      | \b(?:è|stat[oa])\s(?:rifiutat|respint|negat)[oa]\b
      | \bnon\s(?:è\s)?(?:consentit|autorizzat|valid|permess)[oa]\b
      | \bnão\s(?:é|foi)\spossível\b | \bnão\s(?:é\s|está\s)?(?:permitid|autorizad|válid)[oa]\b
      | \b(?:foi|está)\s(?:recusad|rejeitad|negad)[oa]\b
      | ^\W*(?:abgelehnt|verweigert|ungültig|rechazad[oa]|denegad[oa]|inválid[oa]|refusée?|rejetée?
            |rifiutat[oa]|negat[oa]|recusad[oa]|rejeitad[oa]|negad[oa])\b""",
    re.IGNORECASE | re.VERBOSE,
)
PENDING = Screened(
    r"""\bin\s(?:bearbeitung|vorbereitung|arbeit|der\swarteschlange)\b | \bausstehend\b
      | \bwird\s(?:\w+\s){0,2}?(?:vorbereitet|verarbeitet|erstellt|bearbeitet|geprüft|geladen
          |ausgeführt|gestartet|erzeugt)\b
      | \bwartet\sauf\b | \bläuft(?:\snoch)?\b | \bnoch\snicht\s(?:fertig|bereit|abgeschlossen)\b
      | \bpendiente\b | \ben\s(?:curso|proceso|cola|preparación)\b | \b(?:procesando|preparando)\b
      | \bse\sest[aá]n?\s(?:procesando|preparando|generando)\b
      | \ben\s(?:cours|attente|préparation)\b | \ben\strain\sd
      | \bin\s(?:corso|attesa|elaborazione|coda|preparazione)\b
      | \bem\s(?:andamento|processamento|preparação|curso)\b | \bpendente\b | \baguardando\b
      | \bna\sfila\b""",
    re.IGNORECASE | re.VERBOSE,
)
STATES = (
    (PERSON, AnswerState.WAITS_FOR_PERSON),
    (UNCHANGED, AnswerState.UNCHANGED),
    (REFUSED, AnswerState.REFUSED),
    (PENDING, AnswerState.PENDING),
)


def state_in_words(short: str) -> AnswerState | None:
    """The state that a short answer names in one of these languages; None: it names none."""
    for pattern, state in STATES:
        if pattern.search(short):
            return state
    return other_languages.state_in_words(short)


def says_failed(head: str) -> bool:
    """True for an answer that begins with the words for an error in one of these languages."""
    return FAILED.match(head) is not None or other_languages.says_failed(head)


def says_nothing(text: str) -> bool:
    """True for a short answer that says that nothing was found."""
    return NOTHING.match(text) is not None or other_languages.says_nothing(text)
