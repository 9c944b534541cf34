"""What a model's answer says, as hashes, and what it claims of the agent's own work.

Equal and nearly equal answers can be told without their text. Of code that an answer holds to be
run, as smolagents' CodeAgent writes it, the fingerprint is the one of a call with that code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aftershock.attributes import (
    CODE_DIGEST,
    CODE_SKETCH,
    OUTPUT_DIGEST,
    OUTPUT_SIZE,
    OUTPUT_SKETCH,
    OUTPUT_STATE,
)
from aftershock.fingerprints.absences import without_absences
from aftershock.fingerprints.asked import FILLERS
from aftershock.fingerprints.fingerprint import fingerprint_arguments, fingerprint_result
from aftershock.fingerprints.hedges import hedges
from aftershock.fingerprints.keyed import hash_word, smallest
from aftershock.model import Fingerprint, Output, OutputState
from aftershock.wire import decode_hashes, encode_hashes

WORDS_MAX = 64  # hashed words kept of one answer: 512 bytes on the wire
CHARS_MAX = 8_000  # of an answer; longer ones are compared by their beginning and their end
STATE_CHARS_MAX = 600  # of the end of an answer: there it says what was reached

STATES = {state.value: state for state in OutputState}
WORD = re.compile(r"[^\W\d_]{2,}")
CODE = re.compile(
    r"(?:^|\n)\s*(?:Code|<code>)\s*:?\s*\n?```(?:py|python)?\s*\n(.*?)\n?\s*```", re.DOTALL
)
# "The zone is updated", "Booked for Tuesday", "Done", "all tests pass".
DONE = re.compile(
    r"""\b(?:done|complete[d]?|finished|success(?:ful(?:ly)?)?|all\s(?:set|good)|succeeded)\b
      | \b(?:is|are|was|were|has|have|been|now|successfully)\s(?:now\s|all\s|been\s|successfully\s)*
        (?:\w{3,}(?:ed|ght)|gone|done|sent|set|built|written|put|made|run|paid|live|merged|shut
          |in\s(?:place|the\squeue|sync)|up\sto\sdate|fixed|clean|green|healthy|ready)\b
      | ^\W*(?:i(?:['’]ve|\shave)?\s)?(?:\w{2,}ed|sent|built|paid|set|made)\b
      | \b(?:tests?|checks?)\s(?:all\s)?pass(?:es|ed)?\b
      | \b(?:ran|went\s(?:live|out|through|well)|took\seffect)\b""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
# Any of these says that something is not as it should be, or is left to somebody else.
NOT_DONE = re.compile(
    r"""n['’]t\b | \b(?:not|no|never|none|nothing|without|cannot|unable|unfortunately|however|but
        |only|except|partial(?:ly)?|fail\w*|error\w*|denied|refused|rejected|skipped|missing|still
        |yet
        |remain\w*|manual(?:ly)?|problem\w*|issue\w*|warning\w*|unavailable|timed\sout|timeout
        |instead|sorry|apolog\w+|blocked|attempt\w*|tried|could|unless|until|unknown|unclear|please
        |pending
        |bounc\w+|unreachable|undeliver\w+|offline|invalid|incomplete|unresolved|outstanding
        |wait\w*|escalat\w+|would|retry|again|twice|duplicate\w*|lost|gave\sup|stopped|abort\w*)\b
      | \b(?:i|we)(?:['’]ve|\shave)?\s(?:\w+ly\s)?(?:asked|requested|reported|flagged|forwarded
        |raised|proposed|suggested)\b
      | \?""",
    re.IGNORECASE | re.VERBOSE,
)
# "48 of 50" leaves two.
PART = re.compile(r"(\d[\d,.]*)\s(?:out\s)?of\s(?:the\s|all\s)?(\d[\d,.]*)", re.IGNORECASE)
PLANNED = re.compile(
    r"""\b(?:i['’]?ll|i\s(?:will|shall|am\s(?:now\s)?going\sto|['’]?m\s(?:now\s)?going\sto
          |plan\sto|am\sabout\sto)|we['’]?ll|we\swill|let\sme|let['’]s|now\s(?:i|we)\sneed\sto)
        \s(?!(?:also\s|then\s|always\s)?(?:know|be|let|need|wait|keep|monitor|watch|notify|inform
             |remind|tell|get\sback|follow|stay|remain|transfer|connect|answer|help|assist
             |gladly|happily
             |do\smy)\b)\w""",
    re.IGNORECASE | re.VERBOSE,
)


def output_of(text: str, *, calls: bool = False) -> Output:
    """What an answer says. `calls`: it also asks for tools, so that an empty text is no answer."""
    short = (
        text if len(text) <= CHARS_MAX else f"{text[: CHARS_MAX // 2]}\n{text[-CHARS_MAX // 2 :]}"
    )
    words = set(WORD.findall(short.casefold())) - FILLERS
    digest = fingerprint_result(short).digest
    sketch = smallest({hash_word(word) for word in words}, WORDS_MAX)
    found = CODE.search(text)
    code = None
    if found is not None:
        known = fingerprint_arguments({"code": found[1]})
        code = Fingerprint(known.digest, known.sketch)
    return Output(Fingerprint(digest, sketch, len(text)), state_of_output(text, calls=calls), code)


def state_of_output(text: str, *, calls: bool = False) -> OutputState | None:
    """What an answer claims of the agent's work; None: nothing that a pattern can tell.

    The last sentences count. A claim that it is done says nothing else: an answer that also names
    what went wrong is an honest one. "No errors" names nothing that went wrong.
    """
    if not any(map(str.isalnum, text)):
        return None if calls else OutputState.EMPTY
    end = text.strip()[-STATE_CHARS_MAX:]
    if PLANNED.search(last_sentence(end)):
        return OutputState.PLANNED
    if NOT_DONE.search(text[:CHARS_MAX]):
        claims = without_absences(text[:CHARS_MAX])
        return OutputState.NOT_DONE if NOT_DONE.search(claims) else OutputState.DONE
    if hedges(text[:CHARS_MAX]) or names_a_part(text[:CHARS_MAX]):
        return OutputState.NOT_DONE
    return OutputState.DONE if DONE.search(end) else None


def names_a_part(text: str) -> bool:
    """True for a text with a number of things out of a larger number."""
    return any(part.strip(".,") != whole.strip(".,") for part, whole in PART.findall(text))


def last_sentence(text: str) -> str:
    """The last sentence of a text."""
    return re.split(r"(?<=[.!:])\s+|\n+", text)[-1]


def output_attributes(output: Output) -> dict[str, Any]:
    """An output as the attributes that it can be read from again."""
    found: dict[str, Any] = {
        OUTPUT_DIGEST: output.text.digest,
        OUTPUT_SKETCH: encode_hashes(output.text.sketch),
        OUTPUT_SIZE: output.text.size or 0,
    }
    if output.state is not None:
        found[OUTPUT_STATE] = str(output.state)
    if output.code is not None:
        found[CODE_DIGEST] = output.code.digest
        found[CODE_SKETCH] = encode_hashes(output.code.sketch)
    return found


def output_in(attributes: Mapping[str, Any]) -> Output | None:
    """The output that attributes of ours describe; None where they describe none."""
    digest, size = attributes.get(OUTPUT_DIGEST), attributes.get(OUTPUT_SIZE)
    if not isinstance(digest, str):
        return None
    sketch = decode_hashes(attributes.get(OUTPUT_SKETCH)) or frozenset()
    code = attributes.get(CODE_DIGEST)
    return Output(
        Fingerprint(digest, sketch, size if isinstance(size, int) else None),
        STATES.get(str(attributes.get(OUTPUT_STATE))),
        Fingerprint(code, decode_hashes(attributes.get(CODE_SKETCH)) or frozenset())
        if isinstance(code, str)
        else None,
    )
